// Replies whose type is also that of other replies, of an event, or of the request itself.
import assert from "node:assert/strict";
import { test } from "node:test";

import { connect } from "../../golden/replies/replies/client.gen.ts";
import { FakeSocket, frozen, last, pass } from "./socket.ts";

test("each request gets its own reply of a type that several have", frozen(async () => {
  const client = connect("wss://example.com", { WebSocket: FakeSocket });
  const socket = last().open();
  const answers = [client.save({ text: "a" }), client.drop({ id: 1 }), client.clear({}), client.echo({ text: "b" })] as const;
  assert.deepEqual(socket.sent[2]?.payload, {});
  socket.answer(3, "ECHO", { text: "b" });
  socket.answer(1, "OK");
  socket.answer(2, "OK", {});
  socket.answer(0, "OK", { id: 7 });
  assert.deepEqual(await Promise.all(answers), [{ id: 7 }, undefined, {}, { text: "b" }]);
}));

test("a reply type that is an event, too: the correlation id tells, also when nobody waits any more", frozen(async () => {
  const client = connect("wss://example.com", { WebSocket: FakeSocket });
  const socket = last().open();
  const told: unknown[] = [];
  client.on("PONG", (message) => told.push(message));
  client.onUnknown((type) => told.push(type));
  client.onError((error) => told.push(error));
  const answer = client.ping();
  socket.receive({ type: "PONG", payload: { by: "ann" } });
  socket.answer(0, "PONG", { at: 1 });
  assert.deepEqual(await answer, { at: 1 });
  socket.answer(0, "PONG", { at: 2 });
  const late = assert.rejects(client.ping({ timeoutMs: 10 }), { code: "DEADLINE_EXCEEDED" });
  await pass(10);
  await late;
  socket.answer(1, "PONG", { at: 3 });
  socket.receive({ type: "PONG", payload: { by: "bob" } });
  assert.deepEqual(told, [{ by: "ann" }, { by: "bob" }]);
}));

test("an empty object is there, and no payload is none", frozen(() => {
  const client = connect("wss://example.com", { WebSocket: FakeSocket });
  const socket = last().open();
  let left: unknown;
  client.on("LEFT", (message) => { left = message; });
  client.leave({});
  client.poke();
  assert.deepEqual(socket.sent, [{ type: "LEAVE", payload: {} }, { type: "POKE" }]);
  socket.receive({ type: "LEFT", payload: {} });
  assert.deepEqual(left, {});
}));
