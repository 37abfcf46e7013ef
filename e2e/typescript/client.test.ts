// What a client promises of what is sent and received, whatever the network, the server and the program do.
import assert from "node:assert/strict";
import { test } from "node:test";

import { ConnectionError, connect, InvalidMessageError, isError, ServerError } from "../../golden/rpc/rpc/client.gen.ts";
import { failure, open, url } from "./rpc.ts";
import { FakeSocket, frozen, last, pass, settle } from "./socket.ts";

test("what is sent before the connection is there waits, in order", frozen(async () => {
  const client = connect(url, { WebSocket: FakeSocket });
  assert.equal(client.state, "connecting");
  assert.equal(client.ping(), true);
  const item = client.getItem({ id: 1 });
  assert.equal(client.ping(), true);
  const socket = last().open();
  await client.ready();
  assert.deepEqual(socket.types, ["PING", "GET_ITEM", "PING"]);
  assert.deepEqual(socket.sent[1]?.payload, { id: 1 });
  assert.equal("payload" in (socket.sent[0] ?? {}), false);
  socket.answer(1, "ITEM", { id: 1, name: "x", more: "of a newer server" });
  assert.deepEqual(await item, { id: 1, name: "x" });
}));

test("what the schema refuses is not sent", frozen(async () => {
  const { client, socket } = open();
  await assert.rejects(client.touch({ id: -1, name: "" }), (e) => {
    assert.ok(e instanceof InvalidMessageError);
    assert.equal(e.type, "TOUCH");
    assert.deepEqual(e.issues.map((issue) => issue.path), ["/id", "/name"]);
    return true;
  });
  await assert.rejects(client.getItem({ id: 1, other: 2 } as never), InvalidMessageError);
  assert.equal(socket.sent.length, 0);
}));

test("an error of the server is typed", frozen(async () => {
  const { client, socket } = open();
  const item = client.getItem({ id: 7 });
  socket.answer(0, "RPC_ERROR", { code: "NO_SUCH_ITEM", message: "none", retryable: false, details: { id: 7 } });
  await assert.rejects(item, (e) => isError(e, "NO_SUCH_ITEM") && e.details?.id === 7 && !e.retryable && e.maybeApplied === undefined);
  const busy = client.getItem({ id: 7 });
  socket.answer(1, "RPC_ERROR", { code: "BUSY", message: "", retryable: true, retryAfterMs: 30 });
  await assert.rejects(busy, (e) => e instanceof ServerError && e.code === "BUSY" && e.retryable && e.retryAfterMs === 30);
}));

test("progress comes in order, and no further than the answer", frozen(async () => {
  const { client, socket } = open();
  const seen: number[] = [];
  const count = client.count({ to: 3 }, { onProgress: ({ at }) => seen.push(at) });
  for (const at of [1, 2]) {
    socket.receive({ type: "$ws:rpc-progress", meta: socket.sent[0]?.meta, data: { at }, payload: { at } });
  }
  socket.answer(0, "COUNT_RESPONSE", { sum: 6 });
  socket.receive({ type: "$ws:rpc-progress", meta: socket.sent[0]?.meta, data: { at: 3 }, payload: { at: 3 } });
  assert.deepEqual(await count, { sum: 6 });
  assert.deepEqual(seen, [1, 2]);
}));

test("the time of a request begins when it is sent", frozen(async () => {
  const client = connect(url, { WebSocket: FakeSocket });
  const item = failure(client.getItem({ id: 1 })); // 2 s by its schema
  await pass(10_000);
  assert.equal(item.done, false);
  const socket = last().open();
  assert.equal(socket.sent[0]?.meta?.timeoutMs, 2000);
  await pass(1999);
  assert.equal(item.done, false);
  await pass(1);
  assert.ok(isError(item.error, "DEADLINE_EXCEEDED") && item.error.maybeApplied);
  assert.deepEqual(socket.types, ["GET_ITEM", "$ws:abort"]);
  assert.equal(socket.sent[1]?.meta?.correlationId, socket.sent[0]?.meta?.correlationId);
}));

test("a request may wait without end", frozen(async () => {
  const { client, socket } = open();
  const item = failure(client.getItem({ id: 1 }, { timeoutMs: Infinity }));
  await pass(60_000);
  assert.equal(item.done, false);
  assert.equal(socket.sent[0]?.meta?.timeoutMs, 2 ** 31 - 1);
}));

test("abort takes a request out of the queue, and tells the server of one that is sent", frozen(async () => {
  const client = connect(url, { WebSocket: FakeSocket });
  const abort = new AbortController();
  const queued = failure(client.getItem({ id: 1 }, { signal: abort.signal }));
  abort.abort(new Error("enough"));
  await settle();
  assert.equal((queued.error as Error).message, "enough");
  const socket = last().open();
  assert.deepEqual(socket.types, []);

  const second = new AbortController();
  const sent = failure(client.getItem({ id: 2 }, { signal: second.signal }));
  second.abort();
  await settle();
  assert.equal((sent.error as Error).name, "AbortError");
  assert.deepEqual(socket.types, ["GET_ITEM", "$ws:abort"]);
  socket.answer(0, "ITEM", { id: 2, name: "late" }); // nobody waits for it
  await assert.rejects(client.getItem({ id: 3 }, { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(socket.sent.length, 2);
}));

test("the base profile gets nothing that it does not know", frozen(async () => {
  const client = connect(url, { WebSocket: FakeSocket });
  const socket = last().open("");
  const item = failure(client.getItem({ id: 1 }));
  assert.deepEqual(Object.keys(socket.sent[0]?.meta ?? {}), ["correlationId"]);
  await pass(2000);
  assert.equal(item.done, true);
  assert.deepEqual(socket.types, ["GET_ITEM"]);
}));

test("a lost connection ends what was sent, but not what may be sent again", frozen(async () => {
  const { client, socket, states } = open({ backoff: { baseMs: 100 } });
  const once = failure(client.count({ to: 1 }));
  const again = client.getItem({ id: 1 });
  socket.drop();
  assert.equal(client.ping(), true);
  await settle();
  assert.ok(once.error instanceof ConnectionError && once.error.reason === "disconnected" && once.error.maybeApplied);
  await pass(100);
  const next = last().open();
  assert.notEqual(next, socket);
  assert.deepEqual(next.types, ["GET_ITEM", "PING"]);
  assert.equal(next.sent[0]?.meta?.timeoutMs, 1900); // what is left of it
  next.answer(0, "ITEM", { id: 1, name: "x" });
  assert.deepEqual(await again, { id: 1, name: "x" });
  assert.deepEqual(states, ["open", "reconnecting", "open"]);
}));

test("a request that waits while an attempt fails is sent once, by the next one", frozen(async () => {
  const client = connect(url, { WebSocket: FakeSocket, backoff: { baseMs: 100 } });
  const count = client.count({ to: 1 }); // not idempotent, and nowhere yet
  last().drop();
  await pass(100);
  const socket = last().open();
  assert.deepEqual(socket.types, ["COUNT"]);
  socket.answer(0, "COUNT_RESPONSE", { sum: 1 });
  assert.deepEqual(await count, { sum: 1 });
}));

test("the queue is full: the newest is refused, the oldest dropped, or nothing waits", frozen(async () => {
  const newest = connect(url, { WebSocket: FakeSocket, queue: { size: 1 } });
  assert.deepEqual([newest.ping(), newest.ping()], [true, false]);
  const refused = failure(newest.getItem({ id: 1 }));
  const oldest = connect(url, { WebSocket: FakeSocket, queue: { size: 1, policy: "drop-oldest" } });
  const errors: unknown[] = [];
  oldest.onError((error) => errors.push(error));
  const dropped = failure(oldest.getItem({ id: 1 }));
  assert.deepEqual([oldest.ping(), oldest.ping()], [true, true]);
  const off = connect(url, { WebSocket: FakeSocket, queue: { policy: "off" } });
  assert.equal(off.ping(), false);
  await settle();
  for (const error of [refused.error, dropped.error, errors[0]]) {
    assert.ok(error instanceof ConnectionError && error.reason === "queue-full" && !error.maybeApplied);
  }
  assert.equal(errors.length, 1);
}));

test("too many requests are refused at once", frozen(async () => {
  const { client } = open({ pendingLimit: 1 });
  const first = failure(client.count({ to: 1 }));
  await assert.rejects(client.count({ to: 1 }), { reason: "too-many-requests" });
  assert.equal(first.done, false);
}));

test("frames that nobody can read are reported, and the client goes on", frozen(async () => {
  const { client, socket, errors } = open();
  const unknown: string[] = [];
  client.onUnknown((type) => unknown.push(type));
  for (const frame of ["", "null", "[]", "{", '{"type":1}', { type: "RPC_ERROR" }, { type: "ITEM" }, { type: "$ws:new" }, { type: "NEWER", payload: 1 }, { type: "ERROR", payload: { code: "NOT_FOUND", message: "x" } }]) {
    socket.receive(frame);
  }
  assert.equal(errors.length, 6);
  assert.deepEqual(unknown, ["NEWER"]);
  assert.ok(isError(errors[5], "NOT_FOUND"));
  const item = client.getItem({ id: 1 });
  socket.answer(0, "ITEM", { id: "no number" });
  await assert.rejects(item, InvalidMessageError);
}));


test("a socket that does not get rid of its bytes takes no more", frozen(async () => {
  const { client, socket } = open({ maxBufferedBytes: 1000 });
  socket.bufferedAmount = 1001;
  assert.equal(client.ping(), false);
  await assert.rejects(client.getItem({ id: 1 }), { reason: "queue-full", maybeApplied: false });
  assert.deepEqual(socket.types, []);
  socket.bufferedAmount = 1000;
  assert.equal(client.ping(), true);
}));

test("what a listener throws, now or later, goes to onError", frozen(async () => {
  const { client, socket, errors } = open();
  const count = client.count({ to: 1 }, { onProgress: () => { throw new Error("progress"); } });
  socket.receive({ type: "$ws:rpc-progress", meta: socket.sent[0]?.meta, payload: { at: 1 } });
  socket.answer(0, "COUNT_RESPONSE", { sum: 1 });
  assert.deepEqual(await count, { sum: 1 });
  client.onUnknown(() => Promise.reject(new Error("unknown"))); // as an async function does
  socket.receive({ type: "NEWER" });
  await settle();
  assert.deepEqual(errors.map((error) => (error as Error).message), ["progress", "unknown"]);
}));

test("an abort without a reason is an AbortError, and nothing of an answered request listens to its signal any more", frozen(async () => {
  const { client, socket } = open();
  let listener: (() => void) | undefined;
  const signal = { // as in some polyfills
    aborted: false, reason: undefined, throwIfAborted: () => undefined,
    addEventListener: (_: string, add: () => void) => { listener = add; }, removeEventListener: () => { listener = undefined; },
  } as unknown as AbortSignal;
  const aborted = failure(client.getItem({ id: 1 }, { signal }));
  listener?.();
  await settle();
  assert.equal((aborted.error as Error).name, "AbortError");
  assert.equal(listener, undefined);
  const answered = client.getItem({ id: 2 }, { signal });
  assert.notEqual(listener, undefined);
  socket.answer(2, "ITEM", { id: 2, name: "x" });
  await answered;
  assert.equal(listener, undefined);
}));

test("without a queue nothing is sent again", frozen(async () => {
  const { client, socket } = open({ queue: { policy: "off" }, backoff: { baseMs: 10 } });
  const item = failure(client.getItem({ id: 1 })); // idempotent
  socket.drop();
  await pass(10);
  assert.ok(item.error instanceof ConnectionError && item.error.reason === "disconnected");
  assert.deepEqual(last().open().types, []);
}));
