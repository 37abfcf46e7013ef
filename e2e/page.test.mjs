// What the server embeds is what the sources of the page build.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { buildPage } from "./page.mjs";

test("the built page is up to date", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wsgen-page-"));
  try {
    await buildPage(folder);
    const embedded = new URL("../examples/chat/web/dist/", import.meta.url).pathname;
    const names = readdirSync(folder).sort();
    assert.deepEqual(readdirSync(embedded).sort(), names);
    for (const name of names) {
      assert.ok(readFileSync(join(embedded, name)).equals(readFileSync(join(folder, name))), `${name} is old: run make page`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
