// The random types of golden/random: what jsonschema/v5 says of their values, and so the generated Go, the generated TypeScript says, too.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const golden = new URL("../../golden/random/", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "wsgen-random-"));
after(() => { rmSync(folder, { recursive: true, force: true }); });

interface Vector {
  type: string;
  json: unknown;
  strict: boolean;
  lenient: boolean;
}

type Read = (type: string, json: unknown) => unknown;

/** Whether a reader takes a value. */
function takes(read: Read, { type, json }: Vector): boolean {
  try {
    read(type, json);
    return true;
  } catch (error) {
    assert.equal((error as Error).name, "InvalidMessageError");
    return false;
  }
}

test("random types are judged as Go judges them: strictly what is sent, leniently what is received", async (t) => {
  const module = join(folder, "client.mts");
  const generated = readFileSync(new URL("random/client.gen.ts", golden), "utf8");
  // A module shows only how it reads strictly; what comes is read by the same functions.
  const lenient = "export const receive = (type: keyof Types, json: unknown): unknown => $convert($types[type], json, type, false, $strictClient);\n";
  writeFileSync(module, generated + lenient);
  const { parse, receive } = (await import(module)) as { parse: Read; receive: Read };
  const vectors = readFileSync(new URL("vectors.jsonl", golden), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as Vector);
  assert.ok(vectors.length > 1000 && vectors.some((v) => v.lenient && !v.strict));
  assert.deepEqual(vectors.filter((vector) => takes(parse, vector) !== vector.strict), []);
  assert.deepEqual(vectors.filter((vector) => takes(receive, vector) !== vector.lenient), []);
  t.diagnostic(`${vectors.length} vectors, strictly and leniently, no difference`);
});
