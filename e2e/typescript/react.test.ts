// The hooks for connections, messages and requests, in components that a DOM shows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement, useState } from "react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";

import { modulesOf, next, Page, quick, then } from "./dom.ts";
import { last } from "./socket.ts";

const { connect, isError, useConnection, useConnectionError, useMessage, useRequest } = await modulesOf<
  typeof import("../../golden/history/history/client.gen.ts"), typeof import("../../golden/history/history/react.gen.ts")
>("history");
type Client = ReturnType<typeof connect>;
type Total = Parameters<typeof useRequest<{ total: number }>>[0];

test("a component knows whether there is a connection, and why not", async () => {
  function Status({ client }: { client: Client | undefined }) {
    const error = useConnectionError(client);
    return createElement("p", null, `${useConnection(client)} ${error instanceof Error ? error.message : String(error)}`);
  }
  const page = new Page();
  await page.show(Status, { client: undefined });
  assert.equal(page.text, "connecting undefined");
  const client = connect("ws://localhost", quick);
  await page.show(Status, { client });
  await then(() => { last().open(); });
  assert.equal(page.text, "open undefined");
  await then(() => { last().drop(4403, "not you"); });
  assert.equal(page.text, "closed connection closed with 4403: not you");
  await page.clear();
});

test("a page of a server is the same in the browser, and then lives", async () => {
  const client = connect("ws://localhost", quick);
  const App = () => createElement("p", null, useConnection(client));
  const div = document.createElement("div");
  div.innerHTML = renderToString(createElement(App));
  assert.equal(div.textContent, "connecting");
  last().open();
  const wrong: unknown[] = [];
  let root: ReturnType<typeof hydrateRoot> | undefined;
  await then(() => { root = hydrateRoot(div, createElement(App), { onRecoverableError: (error) => { wrong.push(error); } }); });
  assert.deepEqual([div.textContent, wrong], ["open", []]);
  await then(() => { root?.unmount(); });
  client.close();
});

test("messages come to the function of the last rendering, of the client that is there", async () => {
  const clients = [connect("ws://localhost", quick)];
  const first = last().open();
  clients.push(connect("ws://localhost", quick));
  const second = last().open();
  function Sum({ client, factor }: { client: Client | undefined; factor: number }) {
    const [sum, setSum] = useState(0);
    useMessage(client, "NUMBER", ({ n }) => { setSum((old) => old + n * factor); });
    return createElement("p", null, sum);
  }
  const page = new Page();
  const number = { type: "NUMBER", payload: { roomId: "a", n: 1 } };
  await page.show(Sum, { client: undefined, factor: 1 });
  await page.show(Sum, { client: clients[0], factor: 1 });
  await then(() => { first.receive(number); });
  await page.show(Sum, { client: clients[0], factor: 10 });
  await then(() => { first.receive(number); });
  await page.show(Sum, { client: clients[1], factor: 100 });
  await then(() => { first.receive(number); second.receive(number); });
  assert.equal(page.text, "111");
  await page.clear();
  clients.forEach((client) => { client.close(); });
});

interface Asked { send: Total; keys: unknown[]; keep?: boolean }

/** Shows a request, and keeps what each rendering has shown. */
function shown(): { Show: (props: Asked) => ReturnType<typeof createElement>; all: string[]; again: () => void } {
  const out = {
    all: [] as string[],
    again: () => undefined as void,
    Show({ send, keys, keep = false }: Asked) {
      const { data, error, pending, again } = useRequest(send, keys, { keepPreviousData: keep });
      out.again = again;
      const text = `${keys.join()}: ${data?.total ?? "-"} ${isError(error, "NOT_FOUND") ? error.code : String(error)}${pending ? " …" : ""}`;
      out.all.push(text);
      return createElement("p", null, text);
    },
  };
  return out;
}

test("an answer is shown for its keys alone", async () => {
  const client = connect("ws://localhost", quick);
  const socket = last().open();
  const { Show, all } = shown();
  const page = new Page();
  const show = (roomId: string, keep = false) => page.show(Show, { send: (options) => client.total({ roomId }, options), keys: [roomId], keep });
  await show("a");
  await then(() => { socket.answer(0, "TOTAL_RESPONSE", { total: 7 }); });
  assert.equal(page.text, "a: 7 undefined");
  await show("b");
  await show("c");
  assert.deepEqual(socket.types, ["TOTAL", "TOTAL", "$ws:abort", "TOTAL"]);
  await then(() => {
    socket.answer(1, "TOTAL_RESPONSE", { total: 8 }); // too late
    socket.answer(3, "RPC_ERROR", { code: "NOT_FOUND", message: "no c" });
  });
  assert.equal(page.text, "c: - NOT_FOUND");
  await show("d", true);
  await then(() => { socket.answer(4, "TOTAL_RESPONSE", { total: 9 }); });
  await show("e", true);
  assert.equal(page.text, "e: 9 undefined …");
  assert.deepEqual(all.filter((text) => /^[bc]: \d/.test(text) || /^[be]:.*[^…]$/.test(text)), [], "of other keys, or as if it were the answer");
  await page.clear();
  assert.equal(socket.types.at(-1), "$ws:abort");
  client.close();
});

test("a request waits until it is to be sent, is sent again on demand, and what it throws is an error", async () => {
  const client = connect("ws://localhost", quick);
  const socket = last().open();
  const hook = shown();
  const page = new Page({ strict: true });
  const send: Total = (options) => client.total({ roomId: "a" }, options);
  for (const not of [false, undefined, null, "", 0] as const) {
    await page.show(hook.Show, { send: not, keys: ["a"] });
    await then(() => { hook.again(); });
    assert.equal(page.text, "a: - undefined");
  }
  assert.deepEqual(socket.types, []);
  await page.show(hook.Show, { send, keys: ["a"] });
  assert.equal(page.text, "a: - undefined …");
  await then(() => { socket.answer(0, "TOTAL_RESPONSE", { total: 7 }); });
  await then(() => { hook.again(); });
  assert.equal(page.text, "a: 7 undefined …", "it stays until the answer");
  await then(() => { socket.answer(1, "TOTAL_RESPONSE", { total: 8 }); });
  assert.equal(page.text, "a: 8 undefined");
  await page.show(hook.Show, { send: false, keys: ["a"] });
  assert.equal(page.text, "a: 8 undefined");
  await page.show(hook.Show, { send: () => { throw new Error("oh"); }, keys: ["b"] });
  assert.equal(page.text, "b: - Error: oh");
  assert.deepEqual(socket.types, ["TOTAL", "TOTAL"]);
  await page.clear();
  client.close();
});

test("a request that the connection has cut off is an error, and can be sent again", async () => {
  const client = connect("ws://localhost", quick);
  const first = last().open();
  const hook = shown();
  const page = new Page();
  await page.show(hook.Show, { send: (options) => client.total({ roomId: "a" }, options), keys: ["a"] });
  await then(() => { first.drop(); });
  assert.match(page.text, /connection was lost/);
  const socket = await next(first);
  await then(() => { socket.open(); hook.again(); });
  await then(() => { socket.answer(-1, "TOTAL_RESPONSE", { total: 1 }); });
  assert.equal(page.text, "a: 1 undefined");
  await page.clear();
  client.close();
});

// What does not compile.
function Wrong({ client }: { client: Client }) {
  // @ts-expect-error there is no such message
  useMessage(client, "NUMBERS", () => undefined);
  // @ts-expect-error a text is no number
  useMessage(client, "NUMBER", ({ n }: { n: string }) => n);
  // @ts-expect-error what is sent returns a promise
  useRequest(() => 1, []);
  // @ts-expect-error true is no request
  useRequest(true, []);
  const { data, error } = useRequest((options) => client.total({ roomId: "" }, options), []);
  // @ts-expect-error it may not be there yet
  data.total.toFixed();
  if (isError(error, "INVALID_ARGUMENT")) {
    // @ts-expect-error details are typed by the code
    void error.details?.issue;
  }
  // @ts-expect-error no state is called so
  return useConnection(client) === "opened";
}
void Wrong;
