// The hooks, in components that a DOM shows.
import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { after, before, test } from "node:test";
import { GlobalRegistrator } from "@happy-dom/global-registrator";
import { act, createElement, useState } from "react";
import { createRoot } from "react-dom/client";

import { FakeSocket, last } from "./socket.ts";

// The modules are copied to where React is found.
const golden = new URL("../../golden/history/history/", import.meta.url);
const folder = new URL("../.react/", import.meta.url);
for (const name of ["client.gen.ts", "react.gen.ts"]) {
  cpSync(new URL(name, golden), new URL(name, folder));
}
const { connect } = (await import(new URL("client.gen.ts", folder).href)) as typeof import("../../golden/history/history/client.gen.ts");
const { useConnection, useMessage, useRequest, useRoom } =
  (await import(new URL("react.gen.ts", folder).href)) as typeof import("../../golden/history/history/react.gen.ts");

before(() => {
  GlobalRegistrator.register();
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
});
after(async () => {
  await GlobalRegistrator.unregister();
  rmSync(folder, { recursive: true, force: true });
});

test("a component is in its room, shows what comes, and leaves", async () => {
  const client = connect("ws://localhost", { WebSocket: FakeSocket });
  function Room({ roomId }: { roomId: string }) {
    const [seen, setSeen] = useState<number[]>([]);
    const inside = useRoom(client, roomId, (room) => client.join({ roomId: room }), (room) => client.leave({ roomId: room }));
    useMessage(client, "NUMBER", ({ n }) => { setSeen((old) => [...old, n]); });
    const total = useRequest((options) => client.total({ roomId }, options), [roomId]);
    return createElement("p", null, `${useConnection(client)} ${inside} ${seen.join()} ${total.pending ? "…" : (total.data?.total ?? String(total.error))}`);
  }
  const root = createRoot(document.body);
  const text = (): string | null => document.body.textContent;
  await act(async () => { root.render(createElement(Room, { roomId: "a" })); await Promise.resolve(); });
  assert.equal(text(), "connecting false  …");
  const socket = last();
  await act(async () => { socket.open(); await Promise.resolve(); });
  assert.deepEqual(socket.types, ["TOTAL", "JOIN"]);
  await act(async () => {
    socket.answer(0, "TOTAL_RESPONSE", { total: 7 });
    socket.receive({ type: "NUMBER", payload: { roomId: "a", n: 1 } });
    await Promise.resolve();
  });
  assert.equal(text(), "open true 1 7");
  await act(async () => { root.render(createElement(Room, { roomId: "b" })); await Promise.resolve(); });
  assert.deepEqual(socket.types.slice(2), ["LEAVE", "JOIN", "TOTAL"]);
  await act(async () => { root.render(createElement(Room, { roomId: "c" })); await Promise.resolve(); });
  assert.deepEqual(socket.types.slice(5), ["LEAVE", "$ws:abort", "JOIN", "TOTAL"]);
  await act(async () => { root.unmount(); await Promise.resolve(); });
  assert.deepEqual(socket.types.slice(9), ["LEAVE", "$ws:abort"]);
  client.close();
});
