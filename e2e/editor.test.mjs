// The description of the YAML that editors read, asked through the language server that they ask.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

const folder = new URL("../internal/editor/testdata/", import.meta.url).pathname;
const chat = readFileSync(join(folder, "chat.yaml"), "utf8");
const program = createRequire(import.meta.url).resolve("yaml-language-server/bin/yaml-language-server");
let server;

// connect starts the language server and returns it with what is asked of it.
function connect() {
  const child = spawn(process.execPath, [program, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map(); // by the number of a request, or the address of a document
  let input = Buffer.alloc(0);
  let last = 0;
  const send = (message) => {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  const settle = (key, value) => {
    waiting.get(key)?.(value);
    waiting.delete(key);
  };
  const receive = (message) => {
    if (message.method === "textDocument/publishDiagnostics") settle(message.params.uri, message.params.diagnostics);
    else if (message.method && message.id !== undefined) {
      const configuration = (items) => items.map((i) => (i.section === "yaml" ? settings : null));
      const result = message.method === "workspace/configuration" ? configuration(message.params.items) : null;
      send({ id: message.id, result });
    } else if (!message.method) settle(message.id, message.result);
  };
  child.stdout.on("data", (chunk) => {
    for (input = Buffer.concat([input, chunk]); ; ) {
      const begin = input.indexOf("\r\n\r\n") + 4;
      const end = begin + Number(/Content-Length: (\d+)/i.exec(input.subarray(0, begin))?.[1]);
      if (begin < 4 || !(input.length >= end)) return;
      receive(JSON.parse(input.subarray(begin, end)));
      input = input.subarray(end);
    }
  });
  const ask = (method, params) => new Promise((resolve) => {
    waiting.set(++last, resolve);
    send({ id: last, method, params });
  });
  const reported = (uri) => new Promise((resolve) => waiting.set(uri, resolve));
  return { child, ask, reported, tell: (method, params) => send({ method, params }) };
}

const settings = { validate: true, completion: true, hover: true, schemaStore: { enable: false }, schemas: {} };

before(async () => {
  server = connect();
  const capabilities = { workspace: { configuration: true } };
  await server.ask("initialize", { processId: process.pid, rootUri: pathToFileURL(folder).href, capabilities });
  server.tell("initialized", {});
  server.tell("workspace/didChangeConfiguration", { settings: { yaml: settings } });
});

after(() => server?.child.kill("SIGKILL"));

let documents = 0;

// open gives a document to the server and returns its address and what is wrong with it.
async function open(text) {
  const uri = pathToFileURL(join(folder, `document${++documents}.yaml`)).href;
  const found = server.reported(uri);
  server.tell("textDocument/didOpen", { textDocument: { uri, languageId: "yaml", version: 1, text } });
  return { uri, found: await found };
}

// at puts text into the chat protocol in place of another, takes the mark ▮ out of it and returns where that was.
function at(old, replacement) {
  assert.ok(chat.includes(old), `the protocol has no ${old}`);
  const before = chat.replace(old, () => replacement);
  const lines = before.slice(0, before.indexOf("▮")).split("\n");
  return { text: before.replace("▮", ""), position: { line: lines.length - 1, character: lines.at(-1).length } };
}

async function offered(old, replacement) {
  const { text, position } = at(old, replacement);
  const { uri } = await open(text);
  const answer = await server.ask("textDocument/completion", { textDocument: { uri }, position });
  return (answer.items ?? answer).map((i) => i.label).sort();
}

test("nothing is wrong with the example", async () => {
  assert.deepEqual((await open(chat)).found, []);
});

const types = ["RoomID", "Role", "Member", "RoomMessage", "Attachment", "common.User", "string", "int64", "date-time", "bytes"];
const keys = ["errors", "claims", "envelope", "reserved", "clients", "description", "version", "go"];
const attributes = [
  "room", "auth", "rate", "maxBytes", "deprecated", "since", "sunset", "delivery", "description", "tags", "examples", "meta", "go", "ts",
];
const bodies = ["payload", "request", "response"];
const requests = ["timeout", "idempotent", "responseType"];
const keywords = ["enum", "const", "default", "minLength", "pattern", "format", "oneOf", "properties", "optional", "discriminator"];

for (const { where, old, now, has, only } of [
  { where: "at the top", old: "auth: required\n", now: "auth: required\n▮\n", has: keys },
  { where: "a type in a block", old: "      roomId: RoomID\n      before", now: "      roomId: ▮\n      before", has: types },
  { where: "a type in braces", old: "JOIN_ROOM: {roomId: RoomID}", now: "JOIN_ROOM: {roomId: ▮}", has: types },
  { where: "a type behind a name of types", old: "  RoomID: string(1..64)", now: "  RoomID: ▮", has: types },
  { where: "below a message", old: "  JOIN_ROOM: {roomId: RoomID}", now: "  JOIN_ROOM:\n    ▮", has: bodies, only: true },
  { where: "beside a payload", old: "    rate: 5/s burst 10\n    maxBytes: 256KiB\n", now: "    ▮\n", has: attributes, only: true },
  { where: "beside a response", old: "    timeout: 10s\n", now: "    ▮\n", has: [...attributes, ...requests], only: true },
  { where: "beside a type", old: "  RoomID: string(1..64)", now: "  RoomID:\n    type: string\n    ▮", has: keywords },
  { where: "a hash", old: "hash: rendezvous", now: "hash: ▮", has: ["rendezvous", "jump", "ws-kit"], only: true },
  { where: "in sharding", old: "  shards: 16\n", now: "  ▮\n", has: ["shards", "idle", "history", "state", "overflow", "presence"] },
  { where: "who may send", old: "    auth: [owner, moderator]", now: "    auth: ▮", has: ["none", "required"], only: true },
]) {
  test(`what is offered ${where}`, async () => {
    const labels = await offered(old, now);
    assert.deepEqual(has.filter((l) => !labels.includes(l)), [], `missing among ${labels}`);
    if (only) assert.deepEqual(labels, [...has].sort());
  });
}

for (const { old, now, mark } of [
  { old: "clientToServer:", now: "▮clientToServr:", mark: "clientToServr" },
  { old: "rate: 5/s burst 10", now: "▮rat: 5/s burst 10", mark: "rat" },
  { old: "hash: rendezvous", now: "hash: ▮modulo", mark: "modulo" },
  { old: "RoomID: string(1..64)", now: "RoomID: {type: string, ▮maxLen: 64}", mark: "maxLen" },
  { old: "{roomId: RoomID, active", now: "{roomId: ▮5, active", mark: "5" },
  { old: "{roomId: RoomID, active", now: "{roomId: ▮strnig, active", mark: "strnig" },
  { old: "    counters: map<uint32>", now: "    counters: ▮open | closed", mark: "open | closed" },
  { old: "    timeout: 10s", now: "    timeout: ▮soon", mark: "soon" },
]) {
  test(`${mark} is marked`, async () => {
    const { text, position } = at(old, now);
    const { found } = await open(text);
    assert.equal(found.length, 1, JSON.stringify(found));
    assert.deepEqual(found[0].range.start, position, found[0].message);
  });
}

test("a key is explained", async () => {
  const { text, position } = at("clientToServer:", "client▮ToServer:");
  const { uri } = await open(text);
  const answer = await server.ask("textDocument/hover", { textDocument: { uri }, position });
  assert.match(JSON.stringify(answer.contents), /Messages that clients send and the server handles/);
});

test("brackets over several lines, as wsgen fmt writes them, are fine", async () => {
  const { found } = await open(chat.replace("JOIN_ROOM: {roomId: RoomID}", "JOIN_ROOM: {\n    roomId: RoomID\n  }"));
  assert.deepEqual(found, []);
});
