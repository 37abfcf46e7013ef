// What the server sends: listeners, iteration, and rooms with a history.
import assert from "node:assert/strict";
import { test } from "node:test";

import { type ClientOptions, connect, type Gap, InvalidMessageError } from "../../golden/history/history/client.gen.ts";
import { FakeSocket, frozen, last, pass, settle } from "./socket.ts";

function number(n: number, seq = n): unknown {
  return { type: "NUMBER", meta: { room: "room:a", seq, timestamp: 5 }, payload: { roomId: "a", n } };
}

function open(options: ClientOptions = {}): { client: ReturnType<typeof connect>; socket: FakeSocket; numbers: number[] } {
  const client = connect("ws://localhost", { WebSocket: FakeSocket, backoff: { baseMs: 10 }, ...options });
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

/** Lets the server say that it goes away, and a second socket be open. */
async function moving(socket: FakeSocket): Promise<FakeSocket> {
  socket.receive({ type: "$ws:joined", meta: { room: "room:a" }, payload: { epoch: "e", seq: 1 } });
  socket.receive(number(2));
  socket.receive({ type: "$ws:goaway", payload: { withinMs: 1000 } });
  await pass(499);
  assert.equal(last(), socket);
  await pass(1);
  return last().open();
}

const resume = { session: "s1", rooms: { "room:a": { epoch: "e", seq: 2 } } };

test("a server that goes away is left for another one, without a gap or a word", frozen(async () => {
  const { client, socket, numbers } = open({ token: "t1" });
  const states: string[] = [];
  client.onState((state) => states.push(state));
  const first = client.total({ roomId: "a" });
  const next = await moving(socket);
  assert.deepEqual(next.offered, ["wsgen.v1", "bearer.t1"]);
  assert.deepEqual(socket.types, ["TOTAL", "__heartbeat"]);
  assert.equal(client.leave({ roomId: "b" }), true); // waits
  const second = client.total({ roomId: "a" });
  socket.receive({ type: "__heartbeat_ack" });
  next.receive({ type: "$ws:session", payload: { session: "not for us" } });
  assert.deepEqual(next.types, []);
  socket.answer(0, "TOTAL_RESPONSE", { total: 3 });
  assert.deepEqual(await first, { total: 3 });
  assert.deepEqual(next.types, ["$ws:resume", "LEAVE", "TOTAL"]);
  assert.deepEqual(next.sent[0]?.payload, resume);
  socket.receive(number(3)); // too late: it comes again
  assert.equal(socket.closed, undefined);
  next.receive({ type: "$ws:session", payload: { session: "s1" } });
  next.receive({ type: "$ws:joined", meta: { room: "room:a" }, payload: { epoch: "e", seq: 2 } });
  socket.drop(4409);
  [3, 4].forEach((n) => { next.receive(number(n)); });
  next.answer(2, "TOTAL_RESPONSE", { total: 7 });
  assert.deepEqual(await second, { total: 7 });
  assert.deepEqual([numbers, states, client.state, socket.closed], [[2, 3, 4], [], "open", 1000]);
  next.drop();
  await pass(300);
  assert.deepEqual(states, ["reconnecting"]);
  assert.deepEqual(last().open().sent[0]?.payload, { session: "s1", rooms: { "room:a": { epoch: "e", seq: 4 } } });
}));

test("a move that runs out of time takes place all the same", frozen(async () => {
  for (const code of [undefined, 1012, 4403]) {
    const { client, socket } = open();
    const total = client.total({ roomId: "a" });
    const next = await moving(socket);
    if (code === undefined) {
      await pass(500);
    } else {
      socket.drop(code);
    }
    await assert.rejects(total, { maybeApplied: true });
    assert.equal(client.state, code === 4403 ? "closed" : "open");
    assert.deepEqual(next.types, code === 4403 ? [] : ["$ws:resume"]);
    client.close();
    assert.deepEqual([socket.closed, next.closed], [1000, 1000]);
  }
}));

test("a move that fails is tried again, and what waited for it goes where it can", frozen(async () => {
  const { client, socket } = open();
  const next = await moving(socket);
  client.leave({ roomId: "b" });
  next.drop();
  assert.deepEqual(socket.types, ["__heartbeat", "LEAVE"]);
  await pass(300);
  const third = last();
  assert.notEqual(third, next);
  third.drop();
  assert.equal(client.state, "open");
  socket.drop(1012, "retry=10");
  assert.equal(client.state, "reconnecting");
  await pass(2000);
  assert.deepEqual(last().open().types, ["$ws:resume"]);
  client.close();
}));

test("close wins over a move", frozen(async () => {
  for (const step of [0, 1, 2]) {
    const { client, socket } = open();
    socket.receive({ type: "$ws:goaway", payload: { withinMs: 1000 } });
    if (step > 0) {
      await pass(500);
    }
    if (step > 1) {
      last().open();
    }
    const made = last();
    client.close();
    await pass(60_000);
    assert.deepEqual([socket.closed, made.closed, last(), client.state], [1000, 1000, made, "closed"]);
  }
}));

test("a loop gets what comes from its making on, ends at once with a break or its signal, and leaves no listener behind", frozen(async () => {
  const { client, socket } = open();
  const loop = client.messages("NUMBER");
  socket.receive(number(1)); // before anybody has asked
  assert.equal((await loop.next()).value?.n, 1);
  const waiting = [loop.next(), loop.next()];
  socket.receive(number(2));
  socket.receive(number(3));
  assert.deepEqual((await Promise.all(waiting)).map(({ value }) => value?.n), [2, 3]);
  const last = loop.next();
  await loop.return?.();
  assert.deepEqual(await last, { done: true, value: undefined });

  const abort = new AbortController();
  const aborted = client.messages("NUMBER", { signal: abort.signal });
  [4, 5, 6].forEach((n) => { socket.receive(number(n)); });
  assert.equal((await aborted.next()).value?.n, 4);
  abort.abort();
  assert.deepEqual(await aborted.next(), { done: true, value: undefined });
  assert.deepEqual(await client.messages("NUMBER", { signal: abort.signal }).next(), { done: true, value: undefined });

  const closed = client.messages("NUMBER");
  socket.receive(number(7));
  client.close();
  assert.equal((await closed.next()).value?.n, 7);
  assert.equal((await closed.next()).done, true);
  assert.equal((await client.messages("NUMBER").next()).done, true);
}));

test("no message is told after close(), not even to the next listener", frozen(() => {
  const { client, socket } = open();
  const seen: number[] = [];
  client.on("NUMBER", () => { client.close(); });
  client.on("NUMBER", ({ n }) => seen.push(n));
  socket.receive(number(1));
  assert.deepEqual(seen, []);
}));

test("a request that is larger than it may be with all that its frame has is refused before it is sent", frozen(async () => {
  const { client, socket } = open();
  const ask = (roomId: string): Promise<unknown> => client.total({ roomId });
  ask("").catch(() => undefined);
  const rest = new TextEncoder().encode(JSON.stringify(socket.sent[0])).length + 7; // for a time-out with more digits
  for (const roomId of ["x".repeat(65_536 - rest + 8), "ü".repeat((65_536 - rest) / 2 + 8)]) {
    await assert.rejects(ask(roomId), (e) => e instanceof InvalidMessageError && /may have 65536 bytes, has/.test(e.message));
  }
  assert.equal(socket.sent.length, 1);
  ask("x".repeat(65_536 - rest - 8)).catch(() => undefined);
  assert.ok(JSON.stringify(socket.sent[1]).length <= 65_536);
}));

test("the answer to an older heartbeat does not end a move", frozen(async () => {
  const { client, socket } = open({ heartbeat: { intervalMs: 1000 } });
  socket.receive({ type: "$ws:joined", meta: { room: "room:a" }, payload: { epoch: "e", seq: 1 } });
  socket.receive({ type: "$ws:goaway", payload: { withinMs: 4000 } });
  await pass(801); // something has come
  await pass(801);
  assert.deepEqual(socket.types, ["__heartbeat"]);
  client.leave({ roomId: "a" });
  await pass(400);
  const next = last().open();
  socket.receive({ type: "__heartbeat_ack" });
  assert.deepEqual([socket.types, next.types], [["__heartbeat", "LEAVE", "__heartbeat"], []]);
  socket.receive({ type: "__heartbeat_ack" });
  assert.deepEqual(next.types, ["$ws:resume"]);
}));

test("a move that follows on another leaves no socket behind", frozen(async () => {
  const { client, socket } = open();
  const second = await moving(socket);
  socket.receive({ type: "__heartbeat_ack" });
  second.receive({ type: "$ws:goaway", payload: { withinMs: 1000 } }); // before it has answered the resume
  await pass(500);
  const third = last().open();
  second.receive({ type: "__heartbeat_ack" });
  client.close();
  assert.deepEqual([socket.closed, second.closed, third.closed], [1000, 1000, 1000]);
}));

test("a connection that answers is not given up in a long move", frozen(async () => {
  const { client, socket, numbers } = open({ heartbeat: { intervalMs: 1000, timeoutMs: 500 } });
  socket.receive({ type: "$ws:goaway", payload: { withinMs: 60_000 } });
  const total = client.total({ roomId: "a" }, { timeoutMs: 55_000 });
  let beats = 0;
  for (let ms = 0; ms < 50_000; ms += 100) { // the second socket is there after half of it, and waits for the answer
    await pass(100);
    if (last() !== socket && last().readyState === 0) {
      last().open();
    }
    for (; beats < socket.types.filter((type) => type === "__heartbeat").length; beats++) {
      socket.receive({ type: "__heartbeat_ack" });
    }
  }
  socket.receive(number(1));
  socket.answer(0, "TOTAL_RESPONSE", { total: 3 });
  assert.deepEqual([await total, numbers], [{ total: 3 }, [1]]);
  client.close();
}));
