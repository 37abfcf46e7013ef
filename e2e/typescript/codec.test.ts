// What the functions of generated types take and refuse, where TypeScript itself lets more pass.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";

import { generate } from "./generated.ts";

interface Wrong extends Error {
  readonly issues: readonly { path: string; message: string }[];
}

interface Module {
  parse: (type: string, json: unknown) => Record<string, unknown>;
  receive: (type: string, json: unknown) => Record<string, unknown>;
  write: (type: string, value: unknown) => Record<string, unknown>;
}

const { parse, receive, write } = (await import(generate(`
types:
  Any: {v: any}
  Bag: {v: object}
  Dict: {v: map<int>}
  Struct: {"v?": {"a?": int}}
  Extra: {v: {type: object, properties: {a: int}, additionalProperties: object}}
  List: {v: [string]}
  Lists: {v: "any[]", w: "(string | null)[]", "x?": {type: array, prefixItems: [string, int], minItems: 2, items: string}}
  Bytes: {v: bytes}
  Either: {v: {oneOf: [bytes, int, {type: object, additionalProperties: int}]}}
  Long: {v: {type: integer, format: int64}}
  Unsigned: {v: {type: integer, format: uint64}}
  Several: {a: string, b: string, c: string, d: string}
clientToServer: {A: {x: string}}
`, `
const $as = (write: boolean, strict: boolean) => (type: keyof Types, value: unknown): unknown => $convert($types[type], value, type, write, strict);
export const [write, receive] = [$as(true, true), $as(false, false)];
`))) as Module;

/** The issues of a call, as path and message. */
function issues(call: () => unknown): string[] {
  try {
    call();
  } catch (error) {
    assert.equal((error as Error).name, "InvalidMessageError", String(error));
    return (error as Wrong).issues.map(({ path, message }) => `${path} ${message}`);
  }
  return [];
}

class Point {
  readonly a: number;

  constructor(a: number) {
    this.a = a;
  }
}

const strange: Record<string, unknown> = {
  Date: new Date(0), Map: new Map([["a", 1]]), Set: new Set([1]), URL: new URL("http://a/"), Error: new Error("no"), Promise: Promise.resolve(1), RegExp: /a/,
  ArrayBuffer: new ArrayBuffer(2), Uint16Array: new Uint16Array(2), DataView: new DataView(new ArrayBuffer(1)), foreign: runInNewContext("new Date(0)") as unknown,
};

test("what is no plain object is no value of any, object and map", () => {
  for (const [name, value] of Object.entries({ ...strange, Uint8Array: new Uint8Array(1), Point: new Point(1), boxed: Object(1) as unknown })) {
    for (const type of ["Any", "Bag", "Dict"]) {
      assert.deepEqual(issues(() => write(type, { v: value })), ["/v must be a plain object"], `${type} ${name}`);
    }
    assert.deepEqual(issues(() => write("Any", { v: [{ w: value }] })), ["/v/0/w must be a plain object"], name);
    assert.deepEqual(issues(() => write("Extra", { v: { a: 1, b: value } })), ["/v/b must be a plain object"], name);
  }
  const bare = Object.assign(Object.create(null) as object, { a: 1 });
  for (const plain of [{ a: 1 }, bare, runInNewContext("({ a: 1 })") as unknown, JSON.parse('{"__proto__": 1, "a": 1}') as unknown]) {
    for (const type of ["Any", "Bag", "Dict"]) {
      assert.equal(JSON.stringify(write(type, { v: plain })), JSON.stringify({ v: plain }));
    }
  }
});

test("a struct takes an instance of a class with its fields, but no Date and no Map", () => {
  assert.deepEqual(write("Struct", { v: new Point(1) }), { v: { a: 1 } });
  for (const [name, value] of Object.entries(strange)) {
    assert.deepEqual(issues(() => write("Struct", { v: value })), ["/v must be an object"], name);
  }
});

test("a hole in an array is an issue, as undefined is", () => {
  const hole: unknown[] = [1];
  hole[2] = 3;
  assert.deepEqual(issues(() => write("Any", { v: hole })), ["/v/1 must be a value that JSON has"]);
  assert.deepEqual(issues(() => write("Bag", { v: { a: hole } })), ["/v/a/1 must be a value that JSON has"]);
  assert.deepEqual(issues(() => write("List", { v: new Array(2) })), ["/v/0 must be a string", "/v/1 must be a string"]);
  assert.deepEqual(issues(() => write("Lists", { v: new Array(1), w: new Array(1), x: new Array(2) })), ["/v/0 must be a value that JSON has", "/w/0 must be a string", "/x/0 must be a string", "/x/1 must be an integer"]);
});

test("what is nested deeper than 64 levels is refused, as in Go", () => {
  const nested = (levels: number, inner: unknown): unknown => (levels === 0 ? inner : [nested(levels - 1, inner)]);
  for (const inner of [[], {}, [1]]) {
    assert.deepEqual(issues(() => parse("Any", { v: nested(62, inner) })), []); // with the type and the innermost: 64
    assert.deepEqual(issues(() => parse("Any", { v: nested(63, inner) })), [`/v${"/0".repeat(63)} is nested deeper than 64 levels`]);
  }
  assert.deepEqual(issues(() => parse("Any", { v: nested(63, 1) })), []);
});

test("a number of any that JavaScript cannot hold is taken where it comes from, and not sent", () => {
  assert.deepEqual(receive("Any", JSON.parse('{"v": [1e400]}')), { v: [Infinity] });
  assert.deepEqual(issues(() => write("Any", { v: Infinity })), ["/v must be a value that JSON has"]);
  assert.deepEqual(issues(() => receive("Bag", JSON.parse('{"v": {"a": 1e400}}'))), ["/v/a must be a value that JSON has"]);
  assert.deepEqual(issues(() => parse("Any", { v: NaN })), ["/v must be a value that JSON has"]);
});

test("integers of 64 bits that are numbers end where the next one is none any more", () => {
  for (const [type, beyond, last] of [["Long", 2 ** 63, 2 ** 63 - 1024], ["Unsigned", 2 ** 64, 2 ** 64 - 2048]] as const) {
    assert.equal(issues(() => write(type, { v: beyond })).length, 1);
    assert.deepEqual(write(type, { v: last }), { v: last });
    for (const read of [receive, parse]) {
      assert.deepEqual(read(type, { v: beyond }), { v: beyond }); // it was one less, perhaps
    }
  }
  assert.deepEqual(write("Long", { v: -(2 ** 63) }), { v: -(2 ** 63) });
});

test("bytes of another realm are bytes", () => {
  const foreign = runInNewContext("new Uint8Array([104, 105])") as Uint8Array;
  assert.deepEqual(write("Bytes", { v: foreign }), { v: "aGk=" });
  assert.deepEqual(write("Either", { v: foreign }), { v: "aGk=" });
  assert.deepEqual(issues(() => write("Bytes", { v: new Uint8ClampedArray(1) })), ["/v must be a Uint8Array"]);
});

test("base64 is canonical, however long it is", () => {
  assert.equal((parse("Bytes", { v: "AAAA".repeat(1 << 22) })["v"] as Uint8Array).length, 3 << 22);
  for (const text of ["A", "AA", "AA=", "AB==", "AAA", "AA==\n", " AAAA", "AA=A", "====", "AAA\u0100", "AAAA".repeat(1 << 22) + "A"]) {
    assert.deepEqual(issues(() => parse("Bytes", { v: text })), ["/v must be a string in base64"], text.slice(0, 20));
  }
  assert.deepEqual(parse("Bytes", { v: "" }), { v: new Uint8Array() });
});

test("an error tells how many more things are wrong", () => {
  const message = (value: unknown): string => {
    try {
      write("Several", value);
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  assert.equal(message({ a: 1, b: "", c: "", d: "" }), "Several/a: must be a string");
  assert.equal(message({ a: 1, b: 2, c: 3, d: 4 }), "Several/a: must be a string (and 3 more)");
});
