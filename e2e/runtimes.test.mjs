// The generated client where it says that it runs: in Node with a WebSocket that it is given, in Bun, in Deno and in a worker of a page.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { goBuild, root, start, stop } from "./server.mjs";

const bin = join(root, "e2e/node_modules/.bin");
const folder = mkdtempSync(join(tmpdir(), "wsgen-runtimes-"));
const run = promisify(execFile);
let server, addr;

// What each of them does: it joins, speaks, asks, is refused, gives up and leaves.
const program = `
import { connect, isError } from ${JSON.stringify(join(root, "examples/chat/chat/client.gen.ts"))};

export async function visit(url, name, options) {
  const client = connect(url + "/ws", { token: name, ...options });
  const said = new Promise((resolve) => client.on("ROOM_UPDATE", ({ text, userId }, { seq }) => {
    if (text === "hello") resolve([userId, typeof seq]);
  }));
  const refused = await client.getHistory({ roomId: name }).catch((error) => isError(error, "NOT_IN_ROOM") && error.details.roomId);
  client.joinRoom({ roomId: name });
  client.roomMessage({ text: "hello" });
  const update = await said;
  let progress = 0;
  const { messages } = await client.getHistory({ roomId: name }, { onProgress: () => { progress++; } });
  const given = await client.getHistory({ roomId: name }, { signal: AbortSignal.abort() }).catch((error) => error.name);
  const before = client.state;
  client.close();
  return [refused, ...update, messages.length, progress, given, before, client.state];
}
`;

const outcome = (name) => [name, name, "number", 1, 1, "AbortError", "open", "closed"];

// bundle writes the program, with what starts it, as a module.
async function bundle(file, begin) {
  const out = join(folder, file);
  await build({ stdin: { contents: program + begin, resolveDir: join(root, "e2e"), loader: "ts" }, bundle: true, format: "esm", platform: "neutral", external: ["ws"], outfile: out, logLevel: "error" });
  return out;
}

before(async () => {
  goBuild("./examples/chat", join(folder, "chat"));
  server = await start(join(folder, "chat"), ["--addr", "127.0.0.1:0", "--data", join(folder, "data")]);
  addr = server.addr;
});

after(async () => {
  await stop(server);
  rmSync(folder, { recursive: true, force: true });
});

test("Node, with the WebSocket of the package ws", async () => {
  const module = await bundle("node.mjs", "");
  const [{ visit }, { default: WebSocket }] = await Promise.all([import(module), import("ws")]);
  assert.deepEqual(await visit(`ws://${addr}`, "node", { WebSocket }), outcome("node"));
});

for (const [name, command] of [["bun", ["bun", "run"]], ["deno", ["deno", "run", "--allow-net", "--no-config"]]]) {
  test(`${name}, with its own`, async () => {
    const module = await bundle(`${name}.mjs`, `console.log(JSON.stringify(await visit("ws://${addr}", "${name}", {})));`);
    const [file, ...args] = command;
    const { stdout } = await run(join(bin, file), [...args, module], { cwd: folder });
    assert.deepEqual(JSON.parse(stdout), outcome(name));
  });
}

test("a worker of a page", async () => {
  const module = await bundle("worker.mjs", `visit("ws://${addr}", "worker", {}).then((got) => self.postMessage(got), (error) => self.postMessage(String(error)));`);
  const { readFileSync } = await import("node:fs");
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await browser.newPage({ bypassCSP: true }); // which allows no workers that are made on the spot
    await page.goto(`http://${addr}/`);
    const got = await page.evaluate((code) => new Promise((resolve, reject) => {
      const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })), { type: "module" });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
    }), readFileSync(module, "utf8"));
    assert.deepEqual(got, outcome("worker"));
  } finally {
    await browser.close();
  }
});
