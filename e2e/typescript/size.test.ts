// What a page has to load.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";

const root = new URL("../..", import.meta.url).pathname;

/** A module or a program, bundled and minified. */
function bundle(input: { entryPoints: string[] } | { stdin: { contents: string; resolveDir: string } }): Uint8Array {
  const out = buildSync({ ...input, bundle: true, minify: true, format: "esm", target: "es2022", write: false });
  return out.outputFiles[0]?.contents ?? new Uint8Array();
}

/** The bytes of a module, minified and compressed. */
function size(file: string): number {
  return gzipSync(bundle({ entryPoints: [file] }), { level: 9 }).length;
}

test("a program that uses one table gets no client with it", (t) => {
  const contents = 'import { Role, schemaFingerprint } from "./client.gen.ts"; console.log(Role.owner, schemaFingerprint);';
  const out = new TextDecoder().decode(bundle({ stdin: { contents, resolveDir: join(root, "golden/language/chat") } }));
  t.diagnostic(`${out.length} bytes`);
  assert.doesNotMatch(out, /WebSocket|reconnecting/);
  assert.ok(out.length < 400, out);
});

test("the runtime fits its budget", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "wsgen-size-"));
  try {
    // A protocol of one message, in rooms with a history: all the rest is the runtime.
    writeFileSync(join(folder, "messages.yaml"), "wsgen: 1\nname: Least\nsharding: {key: roomId, history: {messages: 10}}\nclientToServer: {A: {roomId: string}}\n");
    execFileSync("go", ["run", "./cmd/wsgen", "generate", "--docs=false", "--out", folder, join(folder, "messages.yaml")], { cwd: root });
    const bytes = size(join(folder, "client.gen.ts"));
    t.diagnostic(`the runtime: ${bytes} bytes, minified and compressed`);
    assert.ok(bytes <= 6 * 1024, `${bytes} bytes`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  t.diagnostic(`the client of the chat, its messages and their checks included: ${size(join(root, "examples/chat/chat/client.gen.ts"))} bytes`);
});
