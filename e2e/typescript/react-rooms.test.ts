// The hooks for rooms, in components that a DOM shows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement, Fragment } from "react";
import { renderToString } from "react-dom/server";

import { modulesOf, next, Page, quick, then } from "./dom.ts";
import { FakeSocket, last } from "./socket.ts";

const { connect, isError, roomTopic, useGap, usePresence, useRoom } = await modulesOf<
  typeof import("../../golden/history/history/client.gen.ts"), typeof import("../../golden/history/history/react.gen.ts")
>("history");
const rooms = await modulesOf<
  typeof import("../../golden/rooms/rooms/client.gen.ts"), typeof import("../../golden/rooms/rooms/react.gen.ts")
>("rooms");
type Client = ReturnType<typeof connect>;

/** What was sent of an n-th frame on, with the rooms. */
function sent(socket: FakeSocket, from = 0): string[] {
  return socket.sent.slice(from).map(({ type, payload }) => `${type} ${(payload as { roomId?: string } | undefined)?.roomId ?? ""}`.trimEnd());
}

/** A component in a room, by messages that have no answer. */
function Inside({ client, room }: { client: Client | undefined; room: string }) {
  const { status, error } = useRoom(client, roomTopic(room), (roomId) => client?.join({ roomId }), (roomId) => client?.leave({ roomId }));
  return createElement("p", null, `${room} ${status} ${error instanceof Error ? error.message : ""};`);
}

/** Several of them. */
function House({ client, rooms: all }: { client: Client | undefined; rooms: string[] }) {
  return createElement(Fragment, null, all.map((room, i) => createElement(Inside, { key: i, client, room })));
}

/** Lets a client's server know of a session and of rooms, as members. */
function member(socket: FakeSocket, ...topics: string[]): void {
  socket.receive({ type: "$ws:session", meta: {}, payload: { session: "s" } });
  topics.forEach((room) => { socket.receive({ type: "$ws:joined", meta: { room }, payload: { epoch: "e", seq: 0 } }); });
}

for (const strict of [false, true]) {
  test(`a component enters its room, goes on to another one, and leaves${strict ? ", in strict mode" : ""}`, async () => {
    const client = connect("ws://localhost", quick);
    const page = new Page({ strict });
    await page.show(Inside, { client, room: "a" });
    assert.equal(page.text, "a joining ;");
    const socket = last();
    await then(() => { socket.open(); });
    assert.equal(page.text, "a joined ;");
    await page.show(Inside, { client, room: "b" });
    assert.equal(page.text, "b joined ;");
    await page.clear();
    assert.deepEqual(sent(socket), ["JOIN a", "LEAVE a", "JOIN b", "LEAVE b"]);
    client.close();
  });

  test(`a room is left when its last component has gone${strict ? ", in strict mode" : ""}`, async () => {
    const client = connect("ws://localhost", quick);
    const socket = last().open();
    const page = new Page({ strict });
    await page.show(House, { client, rooms: ["a", "a"] });
    await page.show(House, { client, rooms: ["a", "b"] });
    assert.equal(page.text, "a joined ;b joined ;");
    await page.show(House, { client, rooms: ["b", "a"] }); // who goes and comes has stayed
    assert.deepEqual(sent(socket), ["JOIN a", "JOIN b"]);
    await page.show(House, { client, rooms: ["b"] });
    await page.clear();
    assert.deepEqual(sent(socket, 2), ["LEAVE a", "LEAVE b"]);
    client.close();
  });
}

test("who goes while the connection is down leaves when it is back, behind the rooms that are taken up", async () => {
  const client = connect("ws://localhost", quick);
  const first = last().open();
  const page = new Page();
  await page.show(House, { client, rooms: ["a", "b", "c"] });
  await then(() => { member(first, "room:a", "room:b", "room:c"); });
  await then(() => { first.drop(); });
  assert.equal(page.text, "a joining ;b joining ;c joining ;");
  await page.show(House, { client, rooms: ["a", "d"] });
  const second = await next(first);
  await then(() => { second.open(); });
  assert.deepEqual(sent(second), ["$ws:resume", "LEAVE b", "LEAVE c", "JOIN a", "JOIN d"]);
  assert.equal(page.text, "a joined ;d joined ;");
  await page.clear();
  client.close();
});

test("who never was in a room does not leave it, nor does anybody once the client is closed", async () => {
  const client = connect("ws://localhost", quick);
  const socket = last();
  const page = new Page();
  await page.show(House, { client, rooms: ["a"] });
  await page.show(House, { client, rooms: ["b"] });
  await then(() => { socket.open(); });
  await then(() => { client.close(); });
  assert.equal(page.text, "b refused the client was closed;");
  await page.clear();
  assert.deepEqual(sent(socket), ["JOIN b"]);
});

test("another client enters, and the one before leaves", async () => {
  const one = connect("ws://localhost", quick);
  const first = last().open();
  const two = connect("ws://localhost", quick);
  const second = last();
  const page = new Page();
  await page.show(Inside, { client: undefined, room: "a" });
  assert.equal(page.text, "a joining ;");
  await page.show(Inside, { client: one, room: "a" });
  assert.equal(page.text, "a joined ;");
  await page.show(Inside, { client: two, room: "a" });
  assert.equal(page.text, "a joining ;");
  await then(() => { second.open(); });
  assert.equal(page.text, "a joined ;");
  assert.deepEqual([sent(first), sent(second)], [["JOIN a", "LEAVE a"], ["JOIN a"]]);
  await page.clear();
  one.close();
  two.close();
});

/** A component that is in a room when a promise says so. */
function asking(enter: () => unknown): { Ask: (props: { client: Client }) => ReturnType<typeof createElement>; again: () => void } {
  const out = {
    again: () => undefined as void,
    Ask({ client }: { client: Client }) {
      const { status, error, again } = useRoom(client, roomTopic("a"), enter, (roomId) => client.leave({ roomId }));
      out.again = again;
      return createElement("p", null, `${status} ${isError(error, "ROOM_FULL") ? error.code : error instanceof Error ? error.message : ""}`);
    },
  };
  return out;
}

test("who is refused by the server is told, and has nothing to leave", async () => {
  const client = connect("ws://localhost", quick);
  const first = last().open();
  const page = new Page();
  await page.show(asking(() => client.total({ roomId: "a" })).Ask, { client });
  assert.equal(page.text, "joining ");
  await then(() => { first.answer(0, "RPC_ERROR", { code: "ROOM_FULL", message: "full" }); });
  assert.equal(page.text, "refused ROOM_FULL");
  await page.clear();
  assert.deepEqual(sent(first), ["TOTAL a"]);
  client.close();
});

test("who is refused can try again, and what belongs to a connection before counts for nothing", async () => {
  const client = connect("ws://localhost", quick);
  const first = last().open();
  const hook = asking(() => client.total({ roomId: "a" }));
  const page = new Page();
  await page.show(hook.Ask, { client });
  await then(() => { first.answer(0, "RPC_ERROR", { code: "ROOM_FULL", message: "full" }); });
  await then(() => { hook.again(); });
  assert.equal(page.text, "joining ");
  await then(() => { first.drop(); });
  assert.equal(page.text, "joining ", "it is not refused because the connection is down");
  const second = await next(first);
  await then(() => { second.open(); });
  await then(() => { second.answer(-1, "TOTAL_RESPONSE", { total: 1 }); });
  assert.equal(page.text, "joined ");
  assert.deepEqual([sent(first), sent(second)], [["TOTAL a", "TOTAL a"], ["TOTAL a"]]);
  await page.clear();
  assert.deepEqual(sent(second, 1), ["LEAVE a"]);
  client.close();
});

test("who was asking when the client went on to another connection asks there", async () => {
  const client = connect("ws://localhost", quick);
  const first = last().open();
  const page = new Page();
  await page.show(asking(() => client.total({ roomId: "a" })).Ask, { client });
  await then(() => {
    member(first);
    first.receive({ type: "$ws:goaway", payload: { withinMs: 1 } });
  });
  const second = await next(first);
  await then(() => { second.open(); }); // the first one never answers
  while (second.sent.length === 0) {
    await then(() => undefined);
    await new Promise((resolve) => { setTimeout(resolve, 1); });
  }
  await then(() => { second.answer(-1, "TOTAL_RESPONSE", { total: 1 }); });
  assert.deepEqual([page.text, sent(second)], ["joined ", ["TOTAL a"]]);
  await page.clear();
  client.close();
});

test("what enter throws is told, and what leave throws does no harm", async (t) => {
  const said = t.mock.method(console, "error", () => undefined);
  const client = connect("ws://localhost", quick);
  last().open();
  for (const enter of [() => { throw new Error("oh"); }, () => Promise.reject(new Error("oh"))]) {
    const page = new Page();
    await page.show(asking(enter).Ask, { client });
    assert.equal(page.text, "refused oh");
    await page.clear();
  }
  for (const leave of [() => { throw new Error("ah"); }, () => Promise.reject(new Error("ah"))]) {
    const page = new Page();
    await page.show(() => { useRoom(client, roomTopic("a"), () => true, leave); return null; }, {});
    await page.clear();
  }
  assert.deepEqual(said.mock.calls.map(({ arguments: [error] }) => (error as Error).message), ["ah", "ah"]);
  client.close();
});

test("who is no member any more enters again, and who has missed messages is told", async () => {
  const client = connect("ws://localhost", quick);
  const socket = last().open();
  const gaps: string[] = [];
  function Listening({ room }: { room: string }) {
    useGap(client, roomTopic(room), ({ room: topic, member: still, reason }) => { gaps.push(`${topic} ${still} ${reason}`); });
    return createElement(Inside, { client, room });
  }
  const page = new Page();
  await page.show(Listening, { room: "a" });
  await then(() => { member(socket, "room:a", "room:b"); });
  await then(() => {
    socket.receive({ type: "$ws:gap", meta: { room: "room:a" }, payload: { epoch: "e", seq: 9, first: 5, reason: "expired" } });
    socket.receive({ type: "$ws:left", meta: { room: "room:b" }, payload: { code: "NOT_FOUND", message: "gone" } });
  });
  assert.deepEqual(sent(socket), ["JOIN a"]);
  await then(() => { socket.receive({ type: "$ws:left", meta: { room: "room:a" }, payload: { code: "NOT_FOUND", message: "gone" } }); });
  assert.deepEqual(sent(socket), ["JOIN a", "JOIN a"]);
  assert.deepEqual(gaps, ["room:a true expired", "room:a false gone"]);
  assert.equal(page.text, "a joined ;");
  await page.clear();
  client.close();
});

test("a component knows who is in its room, also one that comes later", async () => {
  const client = connect("ws://localhost", quick);
  const socket = last().open();
  const who = (id: number, userId: string) => ({ id, claims: { userId, nick: userId } });
  const tell = (payload: object) => then(() => { socket.receive({ type: "$ws:presence", meta: {}, payload: { topic: "room:a", ...payload } }); });
  function Who() {
    const { count, members } = usePresence(client, roomTopic("a"));
    return createElement("p", null, `${count}: ${members.map(({ claims }) => claims?.userId ?? "?").join()}`);
  }
  function App({ all }: { all: boolean }) {
    return createElement(Fragment, null, createElement(Inside, { client, room: "a" }), all ? createElement(Who) : null);
  }
  const page = new Page({ strict: true });
  const text = () => page.text.replace("a joined ;", "");
  await page.show(App, { all: false });
  await tell({ count: 1, joined: [who(2, "bob")] }); // which means nothing before the list
  await tell({ count: 2, members: [who(1, "ann"), who(2, "bob")] });
  await page.show(App, { all: true });
  assert.equal(text(), "2: ann,bob");
  await tell({ count: 2, joined: [who(3, "cy")], left: [1] });
  assert.equal(text(), "2: bob,cy");
  await tell({ topic: "room:b", count: 1, members: [who(1, "dan")] });
  assert.equal(text(), "2: bob,cy");
  await tell({ count: 40 }); // too many to name them
  assert.equal(text(), "40: ");
  await tell({ count: 41, joined: [who(50, "ann")] });
  assert.equal(text(), "41: ");
  await tell({ count: 1, members: [who(2, "bob")] });
  assert.equal(text(), "1: bob");
  await then(() => { socket.receive({ type: "$ws:joined", meta: { room: "room:a" }, payload: { epoch: "e", seq: 0 } }); });
  await then(() => { socket.receive({ type: "$ws:left", meta: { room: "room:a" }, payload: { code: "NOT_FOUND", message: "gone" } }); });
  assert.equal(text(), "0: ");
  await page.clear();
  client.close();
});

test("rooms without a history are entered again, and not left on a connection that has forgotten them", async () => {
  const client = rooms.connect("ws://localhost", quick);
  const first = last().open();
  function Both({ match }: { match: boolean }) {
    rooms.useRoom(client, rooms.roomTopic("a"), (roomId) => client.enter({ roomId }), (roomId) => client.shut({ roomId }));
    const topic = match ? rooms.matchTopic("00000000-0000-4000-8000-000000000000") : rooms.roomTopic("b");
    const enter = (key: string) => (match ? client.enterMatch({ matchId: key }) : client.enter({ roomId: key }));
    rooms.useRoom(client, topic, enter, () => client.hello({ text: "bye" }));
    return null;
  }
  const page = new Page();
  await page.show(Both, { match: true });
  await then(() => { first.drop(); });
  await page.show(Both, { match: false });
  const second = await next(first);
  await then(() => { second.open(); });
  await page.clear();
  assert.deepEqual([first.types, second.types], [["ENTER", "ENTER_MATCH"], ["ENTER", "ENTER", "SHUT", "HELLO"]]);
  client.close();
});

test("on a server nobody enters a room", () => {
  const before = FakeSocket.all.length;
  assert.equal(renderToString(createElement(Inside, { client: undefined, room: "a" })), "<p>a joining ;</p>");
  assert.equal(FakeSocket.all.length, before);
});

// What does not compile.
function Wrong({ client }: { client: Client }) {
  // @ts-expect-error a key is no topic
  useRoom(client, "a", () => undefined);
  // @ts-expect-error there is no such kind
  usePresence(client, "match:a");
  // @ts-expect-error the key is a text
  useRoom(client, roomTopic(1), (key: number) => key);
  // @ts-expect-error there is no such status
  return useRoom(client, roomTopic(1), () => undefined).status === "open";
}
void Wrong;
