// What the server sends: listeners, iteration, and rooms with a history.
import assert from "node:assert/strict";
import { test } from "node:test";

import { connect, type Gap } from "../../golden/history/history/client.gen.ts";
import { FakeSocket, frozen, last, pass, settle } from "./socket.ts";

function number(n: number, seq = n): unknown {
  return { type: "NUMBER", meta: { room: "room:a", seq, timestamp: 5 }, payload: { roomId: "a", n } };
}

function open(): { client: ReturnType<typeof connect>; socket: FakeSocket; numbers: number[] } {
  const client = connect("ws://localhost", { WebSocket: FakeSocket, backoff: { baseMs: 10 } });
  const numbers: number[] = [];
  client.on("NUMBER", ({ n }) => numbers.push(n));
  const socket = last().open();
  socket.receive({ type: "$ws:session", payload: { session: "s1" } });
  return { client, socket, numbers };
}

test("listeners get what they asked for, and no listener keeps another from it", frozen(() => {
  const { client, socket, numbers } = open();
  const errors: unknown[] = [];
  client.onError((error) => errors.push(error));
  const seen: unknown[] = [];
  client.on("NUMBER", () => { throw new Error("mine"); });
  const off = client.on("NUMBER", (message, meta) => seen.push(message, meta));
  client.once("NUMBER", ({ n }) => seen.push(`once ${n}`));
  const both = client.on("HINT", () => { other(); });
  const other = client.on("HINT", () => { assert.fail("it was ended before its turn"); });
  socket.receive({ type: "HINT", payload: { text: "x" } });
  both();
  socket.receive(number(1));
  off();
  socket.receive(number(2));
  assert.deepEqual(seen, [{ roomId: "a", n: 1 }, { room: "room:a", seq: 1, timestamp: 5 }, "once 1"]);
  assert.deepEqual(numbers, [1, 2]);
  assert.equal(errors.length, 2);
}));

test("for await ends with its signal, and says when it was too slow", frozen(async () => {
  const { client, socket } = open();
  const abort = new AbortController();
  const seen: number[] = [];
  const loop = (async () => {
    for await (const { n } of client.messages("NUMBER", { signal: abort.signal, limit: 2 })) {
      seen.push(n);
    }
  })();
  await settle();
  socket.receive(number(1));
  await settle();
  abort.abort();
  await loop;
  assert.deepEqual(seen, [1]);
  const slow = client.messages("NUMBER", { limit: 1 });
  const first = slow.next();
  [2, 3, 4].forEach((n) => { socket.receive(number(n)); });
  assert.equal((await first).value?.n, 2);
  await assert.rejects(slow.next(), { reason: "overflow" });
}));

test("a client that comes back asks for what it missed, and sees nothing twice", frozen(async () => {
  const { client, socket, numbers } = open();
  const gaps: Gap[] = [];
  client.onGap((gap) => gaps.push(gap));
  socket.receive({ type: "$ws:joined", meta: { room: "room:a" }, payload: { epoch: "e", seq: 1 } });
  socket.receive(number(2));
  socket.receive({ type: "$ws:seq", meta: { room: "room:a", seq: 3 } });
  socket.drop();
  assert.equal(client.leave({ roomId: "a" }), true);
  await pass(10);
  const next = last().open();
  assert.deepEqual(next.types, ["$ws:resume", "LEAVE"]);
  assert.deepEqual(next.sent[0]?.payload, { session: "s1", rooms: { "room:a": { epoch: "e", seq: 3 } } });
  next.receive({ type: "$ws:session", payload: { session: "not for us" } });
  next.receive({ type: "$ws:session", payload: { session: "s1" } });
  next.receive({ type: "$ws:joined", meta: { room: "room:a" }, payload: { epoch: "e", seq: 3 } });
  [3, 4, 4, 5].forEach((n) => { next.receive(number(n)); });
  assert.deepEqual(numbers, [2, 4, 5]);
  next.receive({ type: "$ws:gap", meta: { room: "room:a" }, payload: { epoch: "f", seq: 9, first: 8, reason: "reset" } });
  next.receive(number(10));
  next.receive({ type: "$ws:left", meta: { room: "room:a" }, payload: { code: "NOT_FOUND", message: "gone" } });
  assert.deepEqual(gaps, [
    { room: "room:a", member: true, reason: "reset", first: 8, seq: 9 },
    { room: "room:a", member: false, reason: "gone", first: 0, seq: 0 },
  ]);
  assert.deepEqual(numbers, [2, 4, 5, 10]);
  next.drop();
  await pass(20);
  assert.deepEqual(last().open().types, []); // in no room
}));
