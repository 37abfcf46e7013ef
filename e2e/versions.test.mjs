// Clients of a protocol as it was, golden/older, and as it is, golden/newer, each with the server of the other.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import WebSocket from "ws";
import { goBuild, root } from "./server.mjs";

const folder = mkdtempSync(join(tmpdir(), "wsgen-versions-"));
const addresses = [];
let server;

before(async () => {
  goBuild("./golden/versions", join(folder, "versions"));
  server = spawn(join(folder, "versions"), { stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface({ input: server.stdout })) {
    if (addresses.push(line) === 2) {
      break;
    }
  }
});

after(async () => {
  server.stdin.end();
  await once(server, "exit");
  rmSync(folder, { recursive: true, force: true });
});

// load returns the client of a version.
async function load(name) {
  const outfile = join(folder, `${name}.mjs`);
  await build({ entryPoints: [join(root, `golden/${name}/${name}/client.gen.ts`)], format: "esm", outfile, logLevel: "error" });
  return import(outfile);
}

// told connects a client, which must be told no error, and gathers what it is told.
async function told(module, address, t) {
  const client = module.connect(address, { WebSocket });
  t.after(() => client.close());
  const all = [];
  const waiting = [];
  const tell = (...what) => {
    all.push(what);
    waiting.shift()?.();
  };
  client.onError((error) => tell("error", String(error)));
  client.onUnknown((type, frame) => tell("unknown", type, frame.payload));
  client.on("ORDER_UPDATE", (order) => tell("update", order));
  await client.ready();
  const next = async () => {
    if (all.length === 0) {
      await new Promise((resolve) => waiting.push(resolve));
    }
    return all.shift();
  };
  return { client, next };
}

const known = { id: 1, status: "open", payment: { kind: "cash", coins: 3 } };

test("a client as it was, and the server as it is", async (t) => {
  const older = await load("older");
  const { client, next } = await told(older, addresses[1], t);
  assert.deepEqual(await client.getOrder({ id: 1 }), known);
  const order = { id: 2, status: "refunded", payment: { kind: null, $tag: "voucher", $json: { kind: "voucher", code: "x" } } };
  assert.deepEqual(await client.getOrder({ id: 2 }), order);
  await assert.rejects(client.getOrder({ id: 9 }), (error) => older.isError(error, "NO_SUCH_ORDER") && error.details.id === 9);
  await assert.rejects(client.getOrder({ id: 3 }), { name: "ServerError", code: "ORDER_SEALED", retryable: false });
  client.watch({ id: 2 });
  assert.deepEqual(await next(), ["update", order]);
  assert.deepEqual(await next(), ["unknown", "ORDER_SHIPPED", { id: 2 }]);
});

test("a client as it is, and the server as it was", async (t) => {
  const newer = await load("newer");
  const { client, next } = await told(newer, addresses[0], t);
  assert.deepEqual(await client.getOrder({ id: 1 }), known);
  client.watch({ id: 1 });
  assert.deepEqual(await next(), ["update", known]);
  await assert.rejects(client.getOrder({ id: 9 }), (error) => newer.isError(error, "NO_SUCH_ORDER") && error.details.id === 9);
  await assert.rejects(client.cancelOrder({ id: 1 }), { name: "ServerError", code: "UNIMPLEMENTED" });
  await assert.rejects(client.getOrder({ id: 1, total: true }), (error) => newer.isError(error, "INVALID_ARGUMENT") && error.details.issues[0].path === "/payload/total");
});

test("a client and a server as they are", async (t) => {
  const newer = await load("newer");
  const { client, next } = await told(newer, addresses[1], t);
  assert.deepEqual(await client.getOrder({ id: 2, total: true }), { id: 2, status: "refunded", payment: { kind: "voucher", code: "x" }, total: 5 });
  await assert.rejects(client.getOrder({ id: 3 }), (error) => newer.isError(error, "ORDER_SEALED") && error.details.until === "2030-01-02");
  await client.cancelOrder({ id: 1 });
  const shipped = new Promise((resolve) => client.once("ORDER_SHIPPED", resolve));
  client.watch({ id: 2 });
  assert.equal((await next())[1].payment.code, "x");
  assert.deepEqual(await shipped, { id: 2 });
});
