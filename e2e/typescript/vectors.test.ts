// The verdicts of the generated Go on the JSON Schema test suite, against those of the generated TypeScript.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const root = new URL("../..", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "wsgen-vectors-"));
after(() => { rmSync(folder, { recursive: true, force: true }); });

interface Vector {
  type: string;
  json: unknown;
  strict: boolean;
}

test("generated TypeScript judges as generated Go does", async (t) => {
  execFileSync("go", ["test", "./internal/conformance", "-count=1", "-run", "TestSuite|TestOptional", "-vectors", folder], { cwd: root });
  for (const part of ["testsuite", "testoptional"]) {
    const at = join(folder, part);
    if (!existsSync(at)) {
      t.skip("SKIPPED: the JSON Schema test suite is not there");
      return;
    }
    execFileSync("go", ["run", "./cmd/wsgen", "generate", "--docs=false", "--out", join(at, "out"), join(at, "messages.yaml")], { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
    renameSync(join(at, "out", "client.gen.ts"), join(at, "client.mts"));
    const { parse } = (await import(join(at, "client.mts"))) as { parse: (type: string, json: unknown) => unknown };
    const vectors = readFileSync(join(at, "vectors.jsonl"), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as Vector);
    const different = vectors.filter(({ type, json, strict }) => {
      try {
        parse(type, json);
        return !strict;
      } catch (error) {
        assert.equal((error as Error).name, "InvalidMessageError");
        return strict;
      }
    });
    assert.deepEqual(different, []);
    t.diagnostic(`${part}: ${vectors.length} vectors, no difference`);
  }
});
