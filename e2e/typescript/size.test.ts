// What a page has to load.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";

test("the runtime fits its budget", (t) => {
  const size = (file: string): number => {
    const out = buildSync({ entryPoints: [new URL(`../../${file}`, import.meta.url).pathname], bundle: true, minify: true, format: "esm", target: "es2022", write: false });
    return gzipSync(out.outputFiles[0]?.contents ?? "", { level: 9 }).length;
  };
  for (const file of ["examples/chat/chat/client.gen.ts", "golden/history/history/client.gen.ts"]) {
    const bytes = size(file);
    t.diagnostic(`${file}: ${bytes} bytes, minified and compressed, its own messages included`);
    assert.ok(bytes <= 6 * 1024, `${file} has ${bytes} bytes`);
  }
});
