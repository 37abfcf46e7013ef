// Formats of strings: what the Go runtime says of a text, generated TypeScript says, too.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { folder, generate, root } from "./generated.ts";

interface Vector {
  format: string;
  text: string;
  ok: boolean;
}

const names = ["uuid", "date-time", "date", "time", "duration", "email", "uri", "uri-reference", "iri-reference", "hostname", "ipv4", "ipv6", "json-pointer", "relative-json-pointer", "regex", "int64", "uint64"];
const typeOf = (format: string): string => "F" + format.replaceAll("-", "");
const yaml = `types:\n${names.map((name) => `  ${typeOf(name)}: {v: {type: string, format: ${name}}}\n`).join("")}clientToServer: {A: {}}\n`;
const { parse } = (await import(generate(yaml))) as { parse: (type: string, json: unknown) => { v: unknown } };

function takes({ format, text }: Vector): boolean {
  try {
    parse(typeOf(format), { v: text });
    return true;
  } catch (error) {
    assert.equal((error as Error).name, "InvalidMessageError", `${format} ${text.slice(0, 100)}: ${String(error)}`);
    return false;
  }
}

test("formats are judged as Go judges them", (t) => {
  const file = join(folder(), "vectors.jsonl");
  execFileSync("go", ["test", "./runtime/codec", "-count=1", "-run", "TestVectors", "-vectors", file], { cwd: root });
  const vectors = readFileSync(file, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as Vector);
  assert.deepEqual(new Set(vectors.map((v) => v.format)), new Set(names));
  const different = vectors.filter((v) => takes(v) !== v.ok);
  // Both know regular expressions of the same kind, in dialects that differ.
  assert.deepEqual(different.filter((v) => v.format !== "regex"), []);
  t.diagnostic(`${vectors.length} texts, no difference but of ${different.length} regular expressions`);
});

test("regular expressions that mean the same in both are taken, and those of one alone are not", () => {
  for (const text of ["^a+$", "[^a-z0-9]{2,3}", "(?:a|b)*?", "\\p{L}\\d\\w\\s\\b", "(a)(?<name>b)", "\\u0041"]) {
    assert.ok(takes({ format: "regex", text, ok: true }), text);
  }
  for (const text of ["(", "(?=a)", "(?<!a)", "(a)\\1", "(?i)a", "\\pL", "(?P<n>a)", "\\Z"]) {
    assert.ok(!takes({ format: "regex", text, ok: false }), text);
  }
});

test("a text of megabytes has a verdict", () => {
  const texts = ["a", "1", "/", "a.", "%e4"].flatMap((part) => ["", "http://"].map((scheme) => scheme + part.repeat(1 << 22)));
  for (const format of names.filter((name) => name !== "regex")) {
    for (const text of texts) {
      takes({ format, text, ok: false });
    }
  }
});
