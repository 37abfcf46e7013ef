// What a page has to load.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";

const root = new URL("../..", import.meta.url).pathname;

/** A module or a program, bundled and minified. */
function bundle(input: { stdin: { contents: string; resolveDir: string } }): Uint8Array {
  const out = buildSync({ ...input, bundle: true, minify: true, format: "esm", target: "es2022", write: false });
  return out.outputFiles[0]?.contents ?? new Uint8Array();
}

/** The bytes of what is used of a module, minified and compressed: all of it, or some names. */
function size(module: string, names = "*"): number {
  return gzipSync(bundle({ stdin: { contents: `export ${names} from ${JSON.stringify(join(root, module))};`, resolveDir: root } }), { level: 9 }).length;
}

test("a program that uses one table gets no client with it", (t) => {
  const contents = 'import { Role, schemaFingerprint } from "./client.gen.ts"; console.log(Role.owner, schemaFingerprint);';
  const out = new TextDecoder().decode(bundle({ stdin: { contents, resolveDir: join(root, "golden/language/chat") } }));
  t.diagnostic(`${out.length} bytes`);
  assert.doesNotMatch(out, /WebSocket|reconnecting/);
  assert.ok(out.length < 400, out);
});

test("the runtime fits its budget", (t) => {
  // With requests, progress and rooms that have a history, and without the types of the protocol and their checks.
  const module = "golden/history/history/client.gen.ts";
  const bytes = size(module) - size(module, "{ parse }");
  t.diagnostic(`the runtime: ${bytes} bytes, minified and compressed`);
  assert.ok(bytes <= 6 * 1024, `${bytes} bytes`);
  const chat = "examples/chat/chat/client.gen.ts";
  t.diagnostic(`the client of the chat: ${size(chat)} bytes, of which its types and their checks are ${size(chat, "{ parse }")}`);
});
