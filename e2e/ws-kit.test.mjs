// ws-kit's own schemas judge what our server sends, and what they let a client send is taken.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { message, rpc, z } from "@ws-kit/zod";
import WebSocket from "ws";

const root = new URL("..", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "wsgen-ws-kit-"));
let server;
let addr;

before(async () => {
  execFileSync("go", ["build", "-o", join(folder, "chat"), "./examples/chat"], { cwd: root, stdio: "inherit" });
  server = spawn(join(folder, "chat"), ["--addr", "127.0.0.1:0", "--data", join(folder, "data")], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: server.stdout })) {
    addr = /http:\/\/(\S+)/.exec(line)?.[1];
    break;
  }
});

after(async () => {
  server?.kill("SIGTERM");
  await once(server, "exit");
  rmSync(folder, { recursive: true, force: true });
});

// The messages of the chat, as somebody who uses ws-kit writes them down.
const JoinRoom = message("JOIN_ROOM", { roomId: z.string() });
const RoomMessage = message("ROOM_MESSAGE", { text: z.string() });
const RoomUpdate = message("ROOM_UPDATE", { roomId: z.string(), text: z.string(), userId: z.string() });
const GetHistory = rpc(
  "GET_HISTORY", { roomId: z.string(), limit: z.number().optional() },
  "GET_HISTORY_RESPONSE", { messages: z.array(z.object({ id: z.number(), userId: z.string(), text: z.string(), sentAt: z.string() })), shard: z.number() },
);
const RpcError = message("RPC_ERROR", {
  code: z.string(), message: z.string().optional(), details: z.any().optional(), retryable: z.boolean().optional(), retryAfterMs: z.number().optional(),
});

// dial connects as ws-kit's client does: with the token in the query or in a subprotocol.
async function dial(path, protocols) {
  const ws = new WebSocket(`ws://${addr}${path}`, protocols);
  const frames = [];
  const waiting = [];
  ws.on("message", (data) => {
    frames.push(JSON.parse(data));
    waiting.shift()?.();
  });
  await once(ws, "open");
  let read = 0;
  return {
    protocol: ws.protocol,
    // send sends what the schema lets through, with the meta of ws-kit's client.
    send(schema, payload, meta = {}) {
      ws.send(JSON.stringify(schema.parse({ type: schema.shape.type.value, meta: { timestamp: Date.now(), ...meta }, payload })));
    },
    // next returns the next frame, which the schema has to accept.
    async next(schema) {
      if (frames.length === read) {
        await new Promise((resolve) => waiting.push(resolve));
      }
      const frame = frames[read++];
      const judged = schema.safeParse(frame);
      assert.ok(judged.success, `${JSON.stringify(frame)}: ${judged.error}`);
      return frame;
    },
    close: () => ws.close(),
  };
}

test("events and publishes", async () => {
  const ann = await dial("/ws?access_token=ann");
  assert.equal(ann.protocol, "");
  ann.send(JoinRoom, { roomId: "kit" });
  assert.deepEqual((await ann.next(RoomUpdate)).payload, { roomId: "kit", text: "ann joined", userId: "ann" });
  const bob = await dial("/ws", ["bearer.bob"]);
  assert.equal(bob.protocol, "bearer.bob");
  bob.send(JoinRoom, { roomId: "kit" });
  for (const one of [ann, bob]) await one.next(RoomUpdate);
  bob.send(RoomMessage, { text: "hi" });
  for (const one of [ann, bob]) assert.equal((await one.next(RoomUpdate)).payload.text, "hi");
  ann.close();
  bob.close();
});

test("the room in the URL", async () => {
  const ann = await dial("/ws?room=url&access_token=ann");
  ann.send(JoinRoom, { roomId: "url" });
  await ann.next(RoomUpdate);
  ann.send(RoomMessage, { text: "no roomId" });
  assert.deepEqual((await ann.next(RoomUpdate)).payload, { roomId: "url", text: "no roomId", userId: "ann" });
  ann.close();
});

test("requests, their progress and their errors", async () => {
  const ann = await dial("/ws?access_token=cy");
  ann.send(GetHistory, { roomId: "asked" }, { correlationId: "c-1" });
  const refused = await ann.next(RpcError);
  assert.equal(refused.meta.correlationId, "c-1");
  assert.equal(refused.payload.code, "NOT_IN_ROOM");
  ann.send(JoinRoom, { roomId: "asked" });
  await ann.next(RoomUpdate);
  ann.send(RoomMessage, { text: "one" });
  await ann.next(RoomUpdate);
  ann.send(GetHistory, { roomId: "asked", limit: 10 }, { correlationId: "c-2" });
  const progress = await ann.next(z.object({ type: z.literal("$ws:rpc-progress"), meta: z.object({ correlationId: z.string() }), data: z.any(), payload: z.any() }).strict());
  assert.deepEqual(progress.data, progress.payload);
  const answer = await ann.next(GetHistory.response);
  assert.deepEqual([answer.meta.correlationId, answer.payload.messages[0].text], ["c-2", "one"]);
  ann.close();
});
