// What a client promises, whatever the network, the server and the program do.
import assert from "node:assert/strict";
import { test } from "node:test";

import { type ClientOptions, CloseError, ConnectionError, connect, InvalidMessageError, isError, ServerError, type State } from "../../golden/rpc/rpc/client.gen.ts";
import { FakeSocket, frozen, last, pass, settle } from "./socket.ts";

const url = "https://example.com/ws?a=1#b";

function open(options: ClientOptions = {}): { client: ReturnType<typeof connect>; socket: FakeSocket; states: State[]; errors: unknown[] } {
  const client = connect(url, { WebSocket: FakeSocket, ...options });
  const states: State[] = [];
  const errors: unknown[] = [];
  client.onState((state) => states.push(state));
  client.onError((error) => errors.push(error));
  return { client, socket: last().open(), states, errors };
}

/** What becomes of a promise: its error, or undefined while it waits. */
function failure(promise: Promise<unknown>): { error: unknown; done: boolean } {
  const out = { error: undefined as unknown, done: false };
  promise.then(
    () => { out.done = true; },
    (error: unknown) => { Object.assign(out, { error, done: true }); },
  );
  return out;
}

test("the handshake has the token in a subprotocol, or in the query", frozen(() => {
  connect(url, { WebSocket: FakeSocket, token: "a.b-c", protocols: ["mine"] });
  assert.equal(last().url.href, "wss://example.com/ws?a=1");
  assert.deepEqual(last().offered, ["wsgen.v1", "mine", "bearer.a.b-c"]);
  connect(url, { WebSocket: FakeSocket, token: "a b/c", tokenPlacement: "query" });
  assert.equal(last().url.searchParams.get("access_token"), "a b/c");
  assert.deepEqual(last().offered, ["wsgen.v1"]);
}));

test("a token that a subprotocol cannot have stops the client and says what to do", frozen(async () => {
  const client = connect(url, { WebSocket: FakeSocket, token: "a b" });
  assert.equal(client.state, "closed");
  await assert.rejects(client.ready(), (e) => e instanceof ConnectionError && e.cause instanceof TypeError && /tokenPlacement/.test(e.cause.message));
}));

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

test("a socket that is closing is not written to: what is sent waits for the next one", frozen(async () => {
  const { client, socket } = open({ backoff: { baseMs: 100 } });
  socket.readyState = 2; // the server has sent its close, and the end is on its way
  assert.equal(client.ping(), true);
  const item = failure(client.count({ to: 1 }));
  socket.drop(1012);
  await pass(100);
  assert.equal(item.done, false);
  assert.deepEqual(last().open().types, ["PING", "COUNT"]);
}));

test("attempts are spread, and come more rarely while they fail", frozen(async () => {
  const { socket } = open({ backoff: { baseMs: 100, maxMs: 500 } });
  socket.drop();
  for (const wait of [100, 200, 400, 500, 500]) {
    const before = FakeSocket.all.length;
    await pass(wait - 1);
    assert.equal(FakeSocket.all.length, before, `earlier than ${wait}`);
    await pass(1);
    assert.equal(FakeSocket.all.length, before + 1, `not after ${wait}`);
    last().drop();
  }
}));

test("a connection that ends at once does not end a row of failures", frozen(async () => {
  const { socket } = open({ backoff: { baseMs: 100, stableMs: 1000 } });
  socket.drop();
  await pass(100);
  last().open().drop();
  await pass(199);
  assert.equal(FakeSocket.all.length, 2);
  await pass(1);
  assert.equal(FakeSocket.all.length, 3);
  last().open();
  await pass(1000);
  last().drop();
  await pass(100);
  assert.equal(FakeSocket.all.length, 4);
}));

for (const code of [1000, 1003, 1007, 1008, 1009, 4401, 4403, 4409]) {
  test(`after ${code} the client stays away`, frozen(async () => {
    const { client, socket } = open({ token: "fixed" });
    const waiting = failure(client.getItem({ id: 1 }));
    socket.drop(code, "why");
    await pass(60_000);
    assert.equal(client.state, "closed");
    assert.ok(client.error instanceof CloseError && client.error.code === code);
    assert.ok(waiting.error instanceof ConnectionError && waiting.error.reason === "closed");
    assert.equal(FakeSocket.all.length, 1);
    assert.equal(client.ping(), false);
    await assert.rejects(client.getItem({ id: 1 }), ConnectionError);
  }));
}

for (const code of [1001, 1012]) {
  test(`after ${code} it comes back when it was told to`, frozen(async () => {
    const { socket } = open({ backoff: { baseMs: 100 } });
    socket.drop(code, "retry=5000");
    await pass(5000);
    assert.equal(FakeSocket.all.length, 1);
    await pass(100);
    assert.equal(FakeSocket.all.length, 2);
  }));
}

for (const code of [1006, 1011, 1013]) {
  test(`after ${code} it comes back by its own time, whatever the reason says`, frozen(async () => {
    const { socket } = open({ backoff: { baseMs: 100 } });
    socket.drop(code, "retry=5000");
    await pass(100);
    assert.equal(FakeSocket.all.length, 2);
  }));
}

test("4401 asks for a new token once", frozen(async () => {
  let asked = 0;
  const client = connect(url, { WebSocket: FakeSocket, token: () => `t${++asked}`, backoff: { baseMs: 10 } });
  await settle();
  last().open().drop(4401);
  await pass(10);
  assert.deepEqual(last().offered, ["wsgen.v1", "bearer.t2"]);
  last().open().drop(4401);
  await pass(10_000);
  assert.equal(client.state, "closed");
  assert.equal(asked, 2);
}));

test("a token that cannot be had is asked for again", frozen(async () => {
  let asked = 0;
  const errors: unknown[] = [];
  const client = connect(url, {
    WebSocket: FakeSocket,
    backoff: { baseMs: 10 },
    token: () => (++asked < 3 ? Promise.reject(new Error("offline")) : Promise.resolve("good")),
  });
  client.onError((error) => errors.push(error));
  for (let i = 0; i < 3; i++) {
    await settle();
    await pass(50);
  }
  assert.deepEqual(last().offered, ["wsgen.v1", "bearer.good"]);
  assert.equal(errors.length, 2);
  assert.equal(client.state, "reconnecting");
}));

test("close wins over a token that is under way", frozen(async () => {
  let give: (token: string) => void = () => undefined;
  const client = connect(url, { WebSocket: FakeSocket, token: () => new Promise((resolve) => { give = resolve; }) });
  client.close();
  give("late");
  await pass(60_000);
  assert.equal(FakeSocket.all.length, 0);
  assert.equal(client.state, "closed");
}));

test("close wins over a token that cannot be had, and over what a listener does with the news", frozen(async () => {
  let fail: (error: Error) => void = () => undefined;
  const client = connect(url, { WebSocket: FakeSocket, token: () => new Promise((_, reject) => { fail = reject; }) });
  const errors: unknown[] = [];
  client.onError((error) => errors.push(error));
  const waiting = failure(client.getItem({ id: 1 }));
  client.close();
  fail(new Error("late"));
  await pass(60_000);
  assert.deepEqual([FakeSocket.all.length, errors.length, client.state], [0, 0, "closed"]);
  assert.ok(waiting.error instanceof ConnectionError && waiting.error.reason === "closed" && !waiting.error.maybeApplied);

  const other = open();
  other.client.onState((state) => { if (state === "reconnecting") { other.client.close(); } });
  other.socket.drop();
  await pass(60_000);
  assert.deepEqual([FakeSocket.all.length, other.client.state], [1, "closed"]);
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

test("close wins over an attempt and over a wait for one", frozen(async () => {
  const first = connect(url, { WebSocket: FakeSocket });
  first.close();
  last().open();
  assert.equal(last().closed, 1000);
  assert.equal(first.state, "closed");
  const { client, socket } = open();
  socket.drop();
  client.close();
  await pass(60_000);
  assert.equal(FakeSocket.all.length, 2);
  await assert.rejects(client.ready(), { reason: "closed" });
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

test("a silent connection is asked, and given up", frozen(async () => {
  const { socket, states } = open({ heartbeat: { intervalMs: 1000, timeoutMs: 500 }, backoff: { baseMs: 10 } });
  await pass(1000);
  assert.deepEqual(socket.types, ["__heartbeat"]);
  socket.receive({ type: "__heartbeat_ack", meta: { ts: 1 } });
  await pass(500);
  await pass(1000);
  assert.deepEqual(socket.types, ["__heartbeat", "__heartbeat"]);
  await pass(500);
  assert.equal(socket.closed, 1000);
  assert.deepEqual(states, ["open", "reconnecting"]);
  await pass(10);
  assert.equal(FakeSocket.all.length, 2);
}));

test("an attempt that takes too long is given up", frozen(async () => {
  connect(url, { WebSocket: FakeSocket, connectTimeoutMs: 100, backoff: { baseMs: 10 } });
  const slow = last();
  await pass(100);
  assert.equal(slow.closed, 1000);
  await pass(10);
  assert.equal(FakeSocket.all.length, 2);
  slow.open();
  assert.equal(last().closed, undefined);
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

test("a binary frame stops the client", frozen(() => {
  const { client, socket } = open();
  socket.onmessage?.({ data: new ArrayBuffer(1) } as never);
  assert.equal(client.state, "closed");
  assert.ok(client.error instanceof CloseError && client.error.code === 1003);
}));

test("a new token is shown on the open connection", frozen(async () => {
  const { client, socket } = open();
  const refreshed = client.refresh("new");
  assert.equal(socket.sent[0]?.type, "$ws:auth");
  assert.deepEqual(socket.sent[0].payload, { token: "new" });
  socket.answer(0, "$ws:auth-ok");
  await refreshed;
}));

test("without a history another socket is a new beginning", frozen(async () => {
  const { client, socket, states, errors } = open();
  socket.receive({ type: "$ws:goaway", payload: { withinMs: 1000 } });
  socket.receive({ type: "$ws:goaway", payload: { withinMs: 1 } });
  await pass(500);
  const next = last().open();
  client.ping();
  assert.deepEqual([socket.types, states], [["__heartbeat"], ["open"]]);
  socket.receive({ type: "__heartbeat_ack" });
  assert.deepEqual([next.types, states, socket.closed], [["PING"], ["open", "reconnecting", "open"], 1000]);
  socket.drop(1006);
  assert.deepEqual([client.state, errors], ["open", []]);
  const stays = open({ reconnect: false });
  stays.socket.receive({ type: "$ws:goaway", payload: { withinMs: 1000 } });
  await pass(1000);
  assert.equal(last(), stays.socket);
}));
