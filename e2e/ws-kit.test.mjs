// ws-kit's own schemas judge every frame that our server sends, and what they let a client send is taken. The client here sends what
// ws-kit's does: the token in the query or as a subprotocol, a timestamp in each meta, and what had to wait in one go.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { message, rpc, z } from "@ws-kit/zod";
import WebSocket from "ws";
import { goBuild, start, stop } from "./server.mjs";

const folder = mkdtempSync(join(tmpdir(), "wsgen-ws-kit-"));
const binary = join(folder, "server");
let server;
let addr;

async function serve(at = "127.0.0.1:0") {
  server = await start(binary, ["--addr", at], "ignore");
  addr = server.addr;
}

before(async () => {
  goBuild("./e2e/ws-kit", binary);
  await serve();
});

after(async () => {
  await stop(server);
  rmSync(folder, { recursive: true, force: true });
});

// The messages of golden/wskit, as somebody who uses ws-kit writes them down.
const JoinRoom = message("JOIN_ROOM", { roomId: z.string() });
const LeaveRoom = message("LEAVE_ROOM", {});
const RoomMessage = message("ROOM_MESSAGE", { text: z.string() });
const ChatSay = message("CHAT:SAY", { text: z.string() });
const Poke = message("POKE");
const Clear = message("CLEAR", {});
const Tick = message("TICK", { n: z.number().int() }, { trace: z.string(), tag: z.string().optional() });
const Fail = message("FAIL", { what: z.string() });
const Nobody = message("NOBODY", { what: z.string() });
const User = { id: z.string(), name: z.string() };
const GetUser = rpc("GET_USER", { id: z.string() }, "USER", User);
const RenameUser = message("RENAME_USER", User, { tenant: z.string() });
const Count = rpc("COUNT", { to: z.number() }, "COUNTED", { sum: z.number() });
const Ping = rpc("PING", { text: z.string() }, "PONG", { text: z.string() });
const List = rpc("LIST", {}, "DONE", {});
const Logout = rpc("LOGOUT", undefined, "DONE", undefined);
const Once = rpc("ONCE", {}, "ONCE_RESPONSE", {});

const RoomUpdate = message("ROOM_UPDATE", { roomId: z.string(), text: z.string(), userId: z.string() });
const Pong = message("PONG", { text: z.string() });
const Note = message("NOTE");
const Cleared = message("CLEARED", {});
const Notify = message("NOTIFY", { n: z.number().int() }, { trace: z.string(), tag: z.string().optional() });

// The shape of errors that ws-kit documents, and nothing beside it.
const failure = {
  code: z.string(), message: z.string().optional(), details: z.record(z.string(), z.unknown()).optional(), retryable: z.boolean().optional(),
  retryAfterMs: z.number().int().positive().nullable().optional(),
};
const ErrorMessage = message("ERROR", failure);
const RpcError = message("RPC_ERROR", failure);
const Progress = z.object({
  type: z.literal("$ws:rpc-progress"), meta: z.object({ correlationId: z.string() }).strict(), data: z.unknown(), payload: z.unknown(),
}).strict();
const HeartbeatAck = z.object({ type: z.literal("__heartbeat_ack"), meta: z.object({ ts: z.number() }).strict() }).strict();

// dial connects as ws-kit's client does: with the token in the query or in a subprotocol.
async function dial(path, protocols) {
  const ws = new WebSocket(`ws://${addr}${path}`, protocols);
  const frames = [];
  let wake = () => {};
  ws.on("message", (data) => {
    frames.push(JSON.parse(data));
    wake();
  });
  const closed = once(ws, "close");
  await once(ws, "open");
  const client = {
    protocol: ws.protocol,
    closed: closed.then(([code]) => code),
    raw: (frame) => ws.send(JSON.stringify(frame)),
    // send sends what the schema lets through, with the meta of ws-kit's client.
    send(schema, payload, meta = {}) {
      const frame = { type: schema.shape.type.value, meta: { timestamp: Date.now(), ...meta }, ...(payload === undefined ? {} : { payload }) };
      client.raw(schema.parse(frame));
    },
    // next returns the next frame, which the schema has to accept, and which has nothing that ws-kit does not know.
    async next(schema) {
      while (frames.length === 0) {
        await new Promise((resolve) => { wake = resolve; });
      }
      const frame = frames.shift();
      const judged = schema.safeParse(frame);
      assert.ok(judged.success, `${JSON.stringify(frame)}: ${judged.error}`);
      return frame;
    },
    // ask sends a request, and returns its answer.
    async ask(schema, answer, payload, meta) {
      const correlationId = crypto.randomUUID();
      client.send(schema, payload, { correlationId, ...meta });
      const frame = await client.next(answer);
      assert.equal(frame.meta.correlationId, correlationId);
      return frame.payload;
    },
    // quiet wants that nothing has come.
    async quiet() {
      client.raw({ type: "__heartbeat" });
      await client.next(HeartbeatAck);
      assert.deepEqual(frames, []);
    },
    async close() {
      ws.close();
      await closed;
    },
  };
  return client;
}

test("the handshake: query, bearer subprotocol, and both beside subprotocols of one's own", async () => {
  for (const [path, offered, chosen] of [
    ["/?access_token=ann", [], ""],
    ["/?access_token=ann", ["chat-v2"], "chat-v2"],
    ["/?access_token=ann", ["chat-v2", "chat-v1"], "chat-v2"],
    ["/", ["bearer.ann"], "bearer.ann"],
    ["/", ["chat-v2", "bearer.ann"], "chat-v2"], // append
    ["/", ["bearer.ann", "chat-v2"], "chat-v2"], // prepend
  ]) {
    const ann = await dial(path, offered);
    assert.equal(ann.protocol, chosen, `${path} ${offered}`);
    ann.send(JoinRoom, { roomId: "handshake" });
    assert.equal((await ann.next(RoomUpdate)).payload.userId, "ann");
    await ann.close();
  }
});

test("events: with a payload, with an empty one, and without", async () => {
  const ann = await dial("/?access_token=ann");
  ann.send(ChatSay, { text: "hi" });
  assert.deepEqual((await ann.next(Pong)).payload, { text: "hi" });
  ann.send(Poke);
  await ann.next(Note);
  ann.send(Clear, {});
  assert.deepEqual((await ann.next(Cleared)).payload, {});
  ann.send(ChatSay, { text: "hi" }, { correlationId: "c-1" }); // which ws-kit lets events have
  await ann.next(Pong);
  await ann.close();
});

test("declared meta in both directions", async () => {
  const ann = await dial("/?access_token=ann");
  ann.send(Tick, { n: 1 }, { trace: "t-1", tag: "blue" });
  const { meta, payload } = await ann.next(Notify);
  assert.deepEqual([meta.trace, meta.tag, payload.n], ["t-1", "blue", 1]);
  ann.send(Tick, { n: 2 }, { trace: "t-2" });
  assert.equal("tag" in (await ann.next(Notify)).meta, false);
  assert.deepEqual(await ann.ask(RenameUser, GetUser.response, { id: "1", name: "Bo" }, { tenant: "acme" }), { id: "1", name: "Bo of acme" });
  await ann.close();
});

test("the heartbeat frame", async () => {
  const ann = await dial("/?access_token=ann");
  ann.raw({ type: "__heartbeat" });
  assert.ok((await ann.next(HeartbeatAck)).meta.ts > 0);
  await ann.close();
});

test("rooms", async () => {
  const ann = await dial("/?access_token=ann");
  const bob = await dial("/", ["bearer.bob"]);
  ann.send(JoinRoom, { roomId: "kit" });
  assert.deepEqual((await ann.next(RoomUpdate)).payload, { roomId: "kit", text: "ann joined", userId: "ann" });
  bob.send(JoinRoom, { roomId: "kit" });
  for (const one of [ann, bob]) await one.next(RoomUpdate);
  bob.send(RoomMessage, { text: "hi" });
  for (const one of [ann, bob]) assert.equal((await one.next(RoomUpdate)).payload.text, "hi");
  bob.send(LeaveRoom, {});
  for (const one of [ann, bob]) assert.equal((await one.next(RoomUpdate)).payload.text, "bob left");
  ann.send(RoomMessage, { text: "gone?" });
  await ann.next(RoomUpdate);
  await bob.quiet();
  await bob.close();
  await ann.quiet();
  await ann.close();
});

test("the room in the URL", async () => {
  const ann = await dial("/?room=url&access_token=ann");
  ann.send(JoinRoom, { roomId: "url" });
  await ann.next(RoomUpdate);
  ann.send(RoomMessage, { text: "no roomId" });
  assert.deepEqual((await ann.next(RoomUpdate)).payload, { roomId: "url", text: "no roomId", userId: "ann" });
  await ann.close();
});

test("a room in the URL that was never joined counts for nothing", async () => {
  const ann = await dial("/?room=other&access_token=ann");
  ann.send(JoinRoom, { roomId: "joined" });
  await ann.next(RoomUpdate);
  ann.send(RoomMessage, { text: "here" });
  assert.equal((await ann.next(RoomUpdate)).payload.roomId, "joined");
  await ann.close();
});

test("of two rooms that are joined one after the other, a message goes to the second", async () => {
  for (let i = 0; i < 20; i++) {
    const ann = await dial("/?access_token=ann");
    ann.send(JoinRoom, { roomId: `a${i}` });
    ann.send(JoinRoom, { roomId: `b${i}` });
    ann.send(RoomMessage, { text: "where?" });
    const texts = [];
    for (let n = 0; n < 3; n++) texts.push((await ann.next(RoomUpdate)).payload);
    assert.deepEqual(texts[2], { roomId: `b${i}`, text: "where?", userId: "ann" });
    await ann.close();
  }
});

test("a base client sees nothing of history and presence", async () => {
  const ann = await dial("/?room=seen&access_token=ann");
  ann.send(JoinRoom, { roomId: "seen" });
  const bob = await dial("/?room=seen&access_token=bob");
  const frames = [await ann.next(RoomUpdate)];
  bob.send(JoinRoom, { roomId: "seen" });
  frames.push(await ann.next(RoomUpdate));
  bob.send(RoomMessage, { text: "hi" });
  frames.push(await ann.next(RoomUpdate));
  await bob.close();
  await ann.quiet();
  ann.send(LeaveRoom, {});
  frames.push(await ann.next(RoomUpdate));
  await ann.quiet();
  for (const { meta = {} } of frames) {
    assert.deepEqual(Object.keys(meta).filter((key) => key !== "timestamp"), []);
  }
  await ann.close();
});

test("requests: answers of one type, an answer that is an event, too, progress", async () => {
  const ann = await dial("/?access_token=ann");
  assert.deepEqual(await ann.ask(GetUser, GetUser.response, { id: "1" }), { id: "1", name: "Al" });
  assert.deepEqual(await ann.ask(List, List.response, {}), {});
  assert.equal(await ann.ask(Logout, Logout.response), undefined);
  ann.send(Ping, { text: "hi" }, { correlationId: "p-1" });
  const event = await ann.next(Pong);
  assert.deepEqual([event.meta?.correlationId, event.payload.text], [undefined, "by itself"]);
  const pong = await ann.next(Ping.response);
  assert.deepEqual([pong.meta.correlationId, pong.payload.text], ["p-1", "hi"]);
  ann.send(Count, { to: 3 }, { correlationId: "c-1" });
  for (let at = 1; at <= 3; at++) {
    const progress = await ann.next(Progress);
    assert.deepEqual([progress.meta.correlationId, progress.data, progress.payload], ["c-1", { at }, { at }]);
  }
  assert.deepEqual((await ann.next(Count.response)).payload, { sum: 6 });
  await ann.close();
});

// What a request fails with. A frame has no key that ws-kit's documented shape lacks.
for (const [name, schema, payload, want] of [
  ["a code of the schema", GetUser, { id: "none" }, { code: "NO_USER", details: { id: "none" }, retryable: false }],
  ["a code of all requests", GetUser, { id: "locked" }, { code: "LOCKED", details: { until: "2030-01-02T03:04:05Z" }, retryable: false }],
  ["UNIMPLEMENTED", Nobody, { what: "x" }, { code: "UNIMPLEMENTED", retryable: false }],
  ["INVALID_ARGUMENT", message("GET_USER", { id: z.number() }), { id: 1 }, { code: "INVALID_ARGUMENT", retryable: false }],
  ["INTERNAL", GetUser, { id: "plain" }, { code: "INTERNAL", retryable: false }],
  ["INTERNAL of a panic", GetUser, { id: "panic" }, { code: "INTERNAL", retryable: false }],
  ["DEADLINE_EXCEEDED", GetUser, { id: "slow" }, { code: "DEADLINE_EXCEEDED", retryable: true, retryAfterMs: 50 }],
]) {
  test(`a request fails: ${name}`, async () => {
    const ann = await dial("/?access_token=ann");
    const got = await ann.ask(schema, RpcError, payload);
    assert.doesNotMatch(JSON.stringify(got), /secret/);
    for (const key of Object.keys(want)) assert.deepEqual(got[key], want[key], JSON.stringify(got));
    if (name === "INVALID_ARGUMENT") assert.equal(got.details.issues[0].path, "/payload/id");
    await ann.quiet();
    await ann.close();
  });
}

test("a request fails: RESOURCE_EXHAUSTED, and when to come back", async () => {
  const ann = await dial("/?access_token=ann");
  assert.deepEqual(await ann.ask(Once, Once.response, {}), {});
  const { code, retryable, retryAfterMs } = await ann.ask(Once, RpcError, {});
  assert.deepEqual([code, retryable], ["RESOURCE_EXHAUSTED", true]);
  assert.ok(retryAfterMs > 1000, `${retryAfterMs}`);
  await ann.close();
});

test("an event fails: one ERROR, and its text stays here", async () => {
  const ann = await dial("/?access_token=ann");
  for (const [schema, payload, code] of [
    [Fail, { what: "book" }, "NOT_FOUND"],
    [Fail, { what: "plain" }, "INTERNAL"],
    [Fail, { what: "panic" }, "INTERNAL"],
    [Nobody, { what: "x" }, "UNIMPLEMENTED"],
    [RoomMessage, { text: "in no room" }, "FAILED_PRECONDITION"],
    [LeaveRoom, {}, "FAILED_PRECONDITION"],
    [message("CHAT:SAY", { words: z.string() }), { words: "x" }, "INVALID_ARGUMENT"],
  ]) {
    ann.send(schema, payload);
    const { meta, payload: got } = await ann.next(ErrorMessage);
    assert.deepEqual([meta?.correlationId, got.code, got.retryable], [undefined, code, false]);
    assert.doesNotMatch(JSON.stringify(got), /secret/);
  }
  await ann.quiet();
  await ann.close();
});

test("a queue of 1000 frames that is flushed at once is handled to the last", async () => {
  const ann = await dial("/?access_token=ann");
  for (let i = 0; i < 1000; i++) ann.send(ChatSay, { text: String(i) });
  for (let i = 0; i < 1000; i++) assert.equal((await ann.next(Pong)).payload.text, String(i));
  await ann.close();
});

for (const [signal, code] of [["SIGTERM", 1012], ["SIGKILL", 1006]]) {
  test(`a restart by ${signal}: closed with ${code}, and all works again`, async () => {
    const ann = await dial("/?access_token=ann");
    ann.send(JoinRoom, { roomId: "restart" });
    await ann.next(RoomUpdate);
    const at = addr;
    await stop(server, signal);
    assert.equal(await ann.closed, code);
    await serve(at);
    const again = await dial("/?access_token=ann");
    again.send(JoinRoom, { roomId: "restart" });
    again.send(RoomMessage, { text: "back" });
    await again.next(RoomUpdate);
    assert.equal((await again.next(RoomUpdate)).payload.text, "back");
    await again.close();
  });
}
