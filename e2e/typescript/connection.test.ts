// What a client does to be connected, and when it is not.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { CloseError, ConnectionError, connect, type State } from "../../golden/rpc/rpc/client.gen.ts";
import { failure, open, url } from "./rpc.ts";
import { FakeSocket, frozen, last, pass, settle, timers } from "./socket.ts";

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
  const news: unknown[] = [];
  client.onState((state) => news.push(state)); // it is told, although it could not have listened earlier
  client.onError((error) => news.push((error as Error).name));
  await settle();
  assert.deepEqual(news, ["TypeError", "closed"]);
  await assert.rejects(client.ready(), (e) => e instanceof ConnectionError && e.cause instanceof TypeError && /tokenPlacement/.test(e.cause.message));
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

test("where there is no WebSocket, and of an address that is none, the program is told", frozen(async () => {
  for (const [address, options, want] of [
    ["wss://example.com", {}, /there is no WebSocket here/],
    ["/ws", { WebSocket: FakeSocket }, /"?\/ws"? is relative/],
    ["no address", { WebSocket: FakeSocket }, /Invalid URL/],
  ] as const) {
    const client = connect(address, options);
    const errors: unknown[] = [];
    client.onError((error) => errors.push(error));
    assert.equal(client.ping(), true);
    await settle();
    assert.equal(client.state, "closed");
    assert.match(String(errors), want);
  }
}));

test("autoConnect: false waits for connect()", frozen(async () => {
  const client = connect("/ws", { WebSocket: FakeSocket, autoConnect: false });
  await pass(60_000);
  assert.deepEqual([FakeSocket.all.length, client.state, client.ping()], [0, "connecting", true]);
  const other = connect(url, { WebSocket: FakeSocket, autoConnect: false });
  other.connect();
  other.connect();
  assert.equal(FakeSocket.all.length, 1);
  last().open();
  assert.equal(other.state, "open");
  client.close();
  client.connect();
  await settle();
  assert.equal(FakeSocket.all.length, 1);
}));

test("a token that throws at once is told to the program that listens in the next line", frozen(async () => {
  const client = connect(url, { WebSocket: FakeSocket, token: () => { throw new Error("no session"); } });
  const errors: unknown[] = [];
  client.onError((error) => errors.push(error));
  await settle();
  assert.deepEqual(errors.map(String), ["Error: no session"]);
  assert.equal(client.state, "reconnecting");
}));

test("a token that takes too long is given up, and what comes late is not used", frozen(async () => {
  let give: (token: string) => void = () => undefined;
  let asked = 0;
  connect(url, { WebSocket: FakeSocket, connectTimeoutMs: 100, backoff: { baseMs: 10 }, token: () => (++asked === 1 ? new Promise((resolve) => { give = resolve; }) : "second") });
  await pass(100);
  await pass(10);
  give("first");
  await settle();
  assert.deepEqual(FakeSocket.all.map((socket) => socket.offered), [["wsgen.v1", "bearer.second"]]);
}));

test("the network is back: a client that waits does not wait any longer, one that asks for a token does not ask again", frozen(async () => {
  const listeners = new Set<() => void>();
  const target = globalThis as unknown as Record<string, unknown>;
  target["addEventListener"] = (_: string, listener: () => void) => listeners.add(listener);
  target["removeEventListener"] = (_: string, listener: () => void) => listeners.delete(listener);
  try {
    let asked = 0;
    let give: (token: string) => void = () => undefined;
    const { client, socket } = open({ heartbeat: { timeoutMs: 500 }, token: "t" });
    const other = connect(url, { WebSocket: FakeSocket, token: () => new Promise((resolve) => { asked++; give = resolve; }) });
    const online = (): void => { listeners.forEach((listener) => { listener(); }); };
    online(); // perhaps by another way than the one that the socket takes
    assert.deepEqual(socket.types, ["__heartbeat"]);
    await pass(500);
    assert.deepEqual([socket.closed, client.state], [1000, "reconnecting"]);
    online();
    await settle();
    assert.deepEqual([FakeSocket.all.length, asked], [2, 1]);
    give("late");
    await settle();
    assert.equal(FakeSocket.all.length, 3);
    client.close();
    other.close();
    assert.equal(listeners.size, 0);
  } finally {
    delete target["addEventListener"];
    delete target["removeEventListener"];
  }
}));

test("a server that cannot be reached is told once, with what the socket knows of it", frozen(async () => {
  const client = connect(url, { WebSocket: FakeSocket, backoff: { baseMs: 10 } });
  const errors: unknown[] = [];
  client.onError((error) => errors.push(error));
  for (let i = 0; i < 3; i++) {
    last().onerror?.({ message: "Unexpected server response: 502" } as never);
    last().drop();
    await pass(100);
  }
  assert.deepEqual(errors.map(String), ["CloseError: connection closed with 1006: Unexpected server response: 502"]);
  last().drop();
  assert.match(String(client.error), /could not be opened/);
}));

test("waits are random, from nothing to their bound", frozen(async () => {
  for (const [chance, wait] of [[0.5, 50], [0.25, 25], [0.01, 1]] as const) {
    mock.method(Math, "random", () => chance);
    const { socket } = open({ backoff: { baseMs: 100 } });
    const before = FakeSocket.all.length;
    socket.drop();
    await pass(wait - 1);
    assert.equal(FakeSocket.all.length, before);
    await pass(1);
    assert.equal(FakeSocket.all.length, before + 1);
  }
  mock.method(Math, "random", () => 1);
  const { socket } = open({ heartbeat: { intervalMs: 1000 } });
  await pass(799);
  assert.deepEqual(socket.types, []);
  await pass(1);
  assert.deepEqual(socket.types, ["__heartbeat"]);
}));

test("advice is heeded up to five minutes", frozen(async () => {
  const { socket } = open({ backoff: { baseMs: 100 } });
  socket.drop(1012, "going down; retry=999999999");
  await pass(300_000);
  assert.equal(FakeSocket.all.length, 1);
  await pass(100);
  assert.equal(FakeSocket.all.length, 2);
}));

test("a token is renewed again after a connection that lasted", frozen(async () => {
  const client = connect(url, { WebSocket: FakeSocket, token: () => "t", backoff: { baseMs: 10, stableMs: 1000 } });
  for (let i = 0; i < 3; i++) {
    await settle();
    last().open();
    await pass(1000);
    last().drop(4401);
    await pass(10);
  }
  assert.deepEqual([FakeSocket.all.length, client.state], [4, "reconnecting"]);
}));

test("no token is none", frozen(async () => {
  for (const token of ["", undefined]) {
    connect(url, { WebSocket: FakeSocket, token });
    assert.deepEqual(last().offered, ["wsgen.v1"]);
    connect(url, { WebSocket: FakeSocket, token: () => token });
    await settle();
    assert.deepEqual(last().offered, ["wsgen.v1"]);
  }
  assert.equal(FakeSocket.all.length, 4);
}));

test("times without end are long ones", frozen(async () => {
  const { client, socket } = open({ connectTimeoutMs: Infinity, heartbeat: { intervalMs: Infinity, timeoutMs: Infinity } });
  await pass(2 ** 30);
  assert.deepEqual([socket.types, client.state], [[], "open"]);
}));

test("a bad token in a move leaves the connection that is there", frozen(async () => {
  const tokens = ["good", "a b", "good"];
  const client = connect(url, { WebSocket: FakeSocket, token: () => tokens.shift(), backoff: { baseMs: 100 } });
  const errors: unknown[] = [];
  client.onError((error) => errors.push(error));
  await settle();
  const socket = last().open();
  socket.receive({ type: "$ws:goaway", payload: { withinMs: 1000 } });
  await pass(500);
  assert.deepEqual([client.state, client.ping(), socket.types, errors.length], ["open", true, ["PING"], 1]);
  await pass(100);
  assert.deepEqual(last().offered, ["wsgen.v1", "bearer.good"]);
}));

test("what was taken is not given to a socket that is closing, whichever that is", frozen(async () => {
  const first = open({ backoff: { baseMs: 100 } });
  first.socket.receive({ type: "$ws:goaway", payload: { withinMs: 1000 } });
  await pass(500);
  const next = last().open();
  assert.equal(first.client.ping(), true); // waits for the move
  first.socket.readyState = 2;
  next.drop();
  first.socket.drop();
  await pass(1000);
  assert.deepEqual(last().open().types, ["PING"]);

  const second = open({ backoff: { baseMs: 100 } });
  second.socket.receive({ type: "$ws:goaway", payload: { withinMs: 1000 } });
  await pass(500);
  const dying = last().open();
  assert.equal(second.client.ping(), true);
  dying.readyState = 2;
  second.socket.drop();
  await pass(1000);
  assert.notEqual(last(), dying);
  assert.deepEqual(last().open().types, ["PING"]);
}));

test("what a listener sends while another socket takes over waits behind the rest", frozen(async () => {
  const { client, socket } = open();
  client.onState((state) => { if (state === "reconnecting") { client.ping(); } });
  socket.receive({ type: "$ws:goaway", payload: { withinMs: 1000 } });
  await pass(500);
  const next = last().open();
  void client.count({ to: 1 });
  socket.receive({ type: "__heartbeat_ack" });
  assert.deepEqual(next.types, ["COUNT", "PING"]);
}));

test("a listener is told of no state that is over", frozen(() => {
  const client = connect(url, { WebSocket: FakeSocket });
  const states: State[] = [];
  client.onState((state) => { if (state === "open") { client.close(); } });
  client.onState((state) => states.push(state));
  last().open();
  assert.deepEqual(states, ["closed"]);
}));

test("after close() nothing is left to do", frozen(async () => {
  const { client, socket } = open();
  client.getItem({ id: 1 }).catch(() => undefined);
  client.close();
  const sent = socket.sent.length;
  await pass(2 ** 30);
  assert.deepEqual([socket.sent.length, FakeSocket.all.length], [sent, 1]);
  assert.equal(timers(), 0);
}));
