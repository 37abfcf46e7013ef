// The room that docs/typescript.md shows, with a server by hand.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { FunctionComponent } from "react";

import { folderOf, next, Page, quick, then } from "./dom.ts";
import { FakeSocket, last } from "./socket.ts";

interface Client { close(): void }

const root = new URL("../..", import.meta.url).pathname;
const doc = readFileSync(`${root}/docs/typescript.md`, "utf8");
const folder = folderOf("docs");
const [, schema = ""] = /^```yaml\n(.*?)^```$/ms.exec(doc) ?? [];
const component = [...doc.matchAll(/^```tsx\n(.*?)^```$/gms)].map(([, code = ""]) => code).find((code) => code.includes("function Room(")) ?? "";
writeFileSync(`${folder}/messages.yaml`, schema);
execFileSync("go", ["run", "./cmd/wsgen", "generate", "--docs=false", "--out", `${folder}/chat`, `${folder}/messages.yaml`], { cwd: root });
writeFileSync(`${folder}/room.tsx`, `/** @jsxRuntime automatic */\n${component}`);
const { connect } = (await import(`${folder}/chat/client.gen.ts`)) as { connect: (url: string, options: object) => Client };
const { Room } = (await import(`${folder}/room.tsx`)) as { Room: FunctionComponent<{ client: Client; roomId: string }> };

const line = (n: number) => ({ id: String(n), userId: "ann", text: `line ${n}` });
const update = (n: number, roomId = "a") =>
  ({ type: "ROOM_UPDATE", meta: { room: `room:${roomId}`, seq: n }, payload: { roomId, ...line(n), role: "owner", file: { kind: "note", text: "" } } });
const answer = (socket: FakeSocket, ...lines: number[]) => { socket.answer(-1, "GET_HISTORY_RESPONSE", { lines: lines.map(line) }); };

/** The numbers of the lines that are shown. */
function lines(page: Page): string {
  return [...page.text.matchAll(/line (\d+)/g)].map(([, n]) => n).join(" ");
}

/** What a new member is told. */
function welcome(socket: FakeSocket, roomId: string, seq: number): void {
  socket.receive({ type: "$ws:session", meta: {}, payload: { session: "s" } });
  socket.receive({ type: "$ws:joined", meta: { room: `room:${roomId}` }, payload: { epoch: "e", seq } });
  socket.receive({ type: "$ws:presence", meta: {}, payload: { topic: `room:${roomId}`, count: 1, members: [{ id: 1 }] } });
}

for (const strict of [false, true]) {
  test(`each line of a room is shown once, and none of another${strict ? ", in strict mode" : ""}`, async () => {
    const client = connect("ws://localhost", quick);
    const socket = last();
    const page = new Page({ strict });
    await page.show(Room, { client, roomId: "a" });
    assert.equal(page.text, "connecting");
    await then(() => { socket.open(); });
    assert.deepEqual(socket.types, ["JOIN_ROOM", "GET_HISTORY"]);
    await then(() => {
      welcome(socket, "a", 2);
      [3, 4].forEach((n) => { socket.receive(update(n)); }); // between the joining and the answer
      socket.receive(update(9, "b"));
    });
    assert.equal(lines(page), "3 4");
    await then(() => { answer(socket, 1, 2, 3); });
    await then(() => { socket.receive(update(5)); });
    assert.equal(lines(page), "1 2 3 4 5");
    assert.match(page.text, /^1 here/);
    await page.show(Room, { client, roomId: "b" });
    assert.equal(lines(page), "");
    assert.deepEqual(socket.types.slice(2), ["LEAVE_ROOM", "JOIN_ROOM", "GET_HISTORY"]);
    await then(() => { socket.receive(update(6)); socket.receive(update(10, "b")); answer(socket, 9, 10); });
    assert.equal(lines(page), "9 10");
    await page.clear();
    assert.deepEqual(socket.types.slice(5), ["LEAVE_ROOM"]);
    client.close();
  });
}

/** A room that has shown lines 1 to 3, whose connection was lost and is there again. */
async function back(): Promise<{ client: Client; page: Page; socket: FakeSocket }> {
  const client = connect("ws://localhost", quick);
  const first = last().open();
  const page = new Page();
  await page.show(Room, { client, roomId: "a" });
  await then(() => { welcome(first, "a", 2); answer(first, 1, 2); first.receive(update(3)); });
  await then(() => { first.drop(); });
  assert.match(page.text, /^reconnecting/);
  assert.equal(lines(page), "1 2 3");
  const socket = await next(first);
  await then(() => { socket.open(); });
  return { client, page, socket };
}

test("after a reconnect nothing is shown twice", async () => {
  const { client, page, socket } = await back();
  assert.deepEqual(socket.types, ["$ws:resume", "JOIN_ROOM", "GET_HISTORY"]);
  await then(() => {
    [3, 4].forEach((n) => { socket.receive(update(n)); });
    socket.receive({ type: "$ws:session", meta: {}, payload: { session: "s" } });
  });
  assert.equal(lines(page), "1 2 3 4");
  await then(() => { answer(socket, 1, 2, 3, 4); socket.receive(update(5)); });
  assert.equal(lines(page), "1 2 3 4 5");
  await page.clear();
  client.close();
});

test("a gap is shown, and the room read again", async () => {
  const { client, page, socket } = await back();
  await then(() => {
    socket.receive({ type: "$ws:gap", meta: { room: "room:a" }, payload: { epoch: "f", seq: 1, first: 1, reason: "reset" } });
    socket.receive(update(2)); // its numbers begin anew
  });
  assert.deepEqual(socket.types.slice(3), ["$ws:abort", "GET_HISTORY"]);
  assert.match(page.text, /missed \(reset\)/);
  await then(() => { answer(socket, 1); });
  assert.equal(lines(page), "1 2");
  await page.clear();
  client.close();
});

test("who was forgotten joins and reads again", async () => {
  const { client, page, socket } = await back();
  await then(() => { socket.receive({ type: "$ws:left", meta: { room: "room:a" }, payload: { code: "NOT_FOUND", message: "gone" } }); });
  assert.deepEqual(socket.types.slice(3), ["JOIN_ROOM", "$ws:abort", "GET_HISTORY"]);
  await then(() => { answer(socket, 1); });
  assert.equal(lines(page), "1");
  assert.match(page.text, /missed \(gone\)/);
  await page.clear();
  client.close();
});

test("who is not let in is told", async () => {
  const client = connect("ws://localhost", quick);
  const socket = last().open();
  const page = new Page();
  await page.show(Room, { client, roomId: "a" });
  await then(() => { socket.answer(-1, "RPC_ERROR", { code: "NOT_IN_ROOM", message: "you are banned", details: { roomId: "a" } }); });
  assert.match(page.text, /you are banned/);
  await page.clear();
  client.close();
});
