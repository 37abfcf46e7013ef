// Values: one function for each type reads it from JSON and writes it to JSON. It checks on the way, strictly what is sent.
// Lines from //#if to //#end are left out where a protocol needs nothing of them.

/** What is wrong at a place of a value. */
export interface Issue {
  /** The place as a JSON Pointer (RFC 6901); empty: the value itself. */
  readonly path: string;
  readonly message: string;
}

/** A message that cannot be sent, or that cannot be read, is not what the schema allows. */
export class InvalidMessageError extends Error {
  /** The type of the message, such as JOIN_ROOM. */
  readonly type: string;
  /** What is wrong, in the order of the message; at most 16. */
  readonly issues: readonly Issue[];

  constructor(type: string, issues: readonly Issue[]) {
    const [first, ...more] = issues;
    super(`${type}${first?.path ?? ""}: ${first?.message ?? "is invalid"}${more.length > 0 ? ` (and ${more.length} more)` : ""}`);
    this.name = "InvalidMessageError";
    this.type = type;
    this.issues = issues;
  }
}

/** How a value is handled: written or read, strictly or not, and what was found wrong so far. */
interface $Context {
  readonly write: boolean;
  readonly strict: boolean;
  readonly path: (string | number)[];
  readonly issues: Issue[];
}

/** A type: it takes a value of JSON and returns that of the program when it reads, and the other way round when it writes. */
type $Type = (value: unknown, c: $Context) => unknown;

type $Members = Record<string, unknown>;

//#if make
/** Makes a type. Bundlers may leave out a call of it whose result nobody uses. */
function $make(type: () => $Type): $Type {
  return type();
}

//#end
function $fail(c: $Context, message: string): undefined {
  if (c.issues.length < 16) {
    c.issues.push({ path: c.path.map((step) => "/" + String(step).replaceAll("~", "~0").replaceAll("/", "~1")).join(""), message });
  }
}

/** Reads or writes a value; it throws an InvalidMessageError when that is not what the schema allows. */
function $convert(type: $Type, value: unknown, name: string, write: boolean, strict: boolean): unknown {
  const c: $Context = { write, strict, path: [], issues: [] };
  const out = type(value, c);
  if (c.issues.length > 0) {
    throw new InvalidMessageError(name, c.issues);
  }
  return out;
}

/** Goes one step down, and comes back. An array or an object there may be the innermost one. */
function $at(c: $Context, step: string | number, type: $Type, value: unknown): unknown {
  c.path.push(step);
  const deep = c.path.length > 63 && /Ar|Ob/.test($tag(value));
  const out = deep ? $fail(c, "is nested deeper than 64 levels") : type(value, c);
  c.path.pop();
  return out;
}

/** What kind of object a value is, of whatever realm: Object, also where it is of a class, Array, Date, Uint8Array. */
function $tag(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function $failAt(c: $Context, step: string | number, message: string): unknown {
  return $at(c, step, () => $fail(c, message), undefined);
}

function $isObject(value: unknown): value is $Members {
  return $tag(value) === "Object";
}

/** Bounds of a size; undefined is none. */
function $size(c: $Context, size: number, what: string, min = 0, max = Infinity): void {
  if (c.strict && (size < min || size > max)) {
    const wanted = min === max ? `exactly ${min}` : size < min ? `at least ${min}` : `at most ${max}`;
    $fail(c, `must have ${wanted} ${what}, has ${size}`);
  }
}

//#if string
/** The number of code points; a surrogate without its other half counts as one. */
function $length(text: string): number {
  let n = 0;
  for (let i = 0; i < text.length; i += (text.codePointAt(i) ?? 0) > 0xffff ? 2 : 1) {
    n++;
  }
  return n;
}

/** also says what is wrong with a text, and always, whether it is asked of what is received, too. */
function $string(min?: number, max?: number, also?: (text: string) => string | undefined, always = false): $Type {
  return (value, c) => {
    if (typeof value !== "string") {
      return $fail(c, "must be a string");
    }
    if ((min ?? max) !== undefined) {
      $size(c, $length(value), "characters", min, max);
    }
    const wrong = c.strict || always ? also?.(value) : undefined;
    return wrong === undefined ? value : $fail(c, wrong);
  };
}
//#end
//#if pattern

function $pattern(source: string): (text: string) => string | undefined {
  let compiled: RegExp | undefined;
  return (text) => ((compiled ??= new RegExp(source, "u")).test(text) ? undefined : `must match ${source}`);
}
//#end
//#if bool

function $bool(value: unknown, c: $Context): unknown {
  return typeof value === "boolean" ? value : $fail(c, "must be true or false");
}
//#end
//#if integer

/** least and most are those of the type, which what is received keeps to as well; last is the last number that can be sent. */
function $integer(min: number, max: number, least = min, most = max, last = max): $Type {
  return (value, c) => {
    if (!Number.isInteger(value)) {
      return $fail(c, "must be an integer");
    }
    const n = value as number;
    const [from, to] = c.strict ? [min, c.write ? last : max] : [least, most];
    if (n < from || n > to) {
      return $fail(c, `must be from ${from} to ${to}`);
    }
    return n === 0 ? 0 : n; // there is no -0 in integers
  };
}
//#end
//#if long

function $long(min: bigint, max: bigint): $Type {
  return (value, c) => {
    let n: bigint | undefined;
    if (c.write ? typeof value === "bigint" : typeof value === "string" && /^(0|-?[1-9][0-9]{0,19})$/.test(value)) {
      n = BigInt(value as string | bigint);
    }
    if (n === undefined || n < min || n > max) {
      return $fail(c, c.write ? "must be a bigint of 64 bits" : "must be a string with an integer of 64 bits");
    }
    return c.write ? n.toString() : n;
  };
}
//#end
//#if float

function $float(min = -Infinity, max = Infinity, single = false): $Type {
  return (value, c) => {
    if (typeof value !== "number" || !Number.isFinite(single ? Math.fround(value) : value)) {
      return $fail(c, "must be a number");
    }
    return c.strict && (value < min || value > max) ? $fail(c, `must be from ${min} to ${max}`) : value;
  };
}
//#end
//#if base64

/** The bytes of base64 in its one canonical form; undefined for all else. */
function $decoded(text: string): Uint8Array | undefined {
  let bytes = "";
  try {
    bytes = atob(text);
  } catch {
    return undefined;
  }
  if (btoa(bytes) !== text) {
    return undefined;
  }
  const data = new Uint8Array(bytes.length);
  for (let i = 0; i < data.length; i++) {
    data[i] = bytes.charCodeAt(i);
  }
  return data;
}
//#end
//#if bytes

function $bytes(min?: number, max?: number): $Type {
  return (value, c) => {
    let data: Uint8Array | undefined;
    if (c.write) {
      data = $tag(value) === "Uint8Array" ? (value as Uint8Array) : undefined;
    } else if (typeof value === "string") {
      data = $decoded(value);
    }
    if (data === undefined) {
      return $fail(c, c.write ? "must be a Uint8Array" : "must be a string in base64");
    }
    $size(c, data.length, "bytes", min, max);
    if (!c.write) {
      return data;
    }
    let text = "";
    for (let i = 0; i < data.length; i += 8192) {
      text += String.fromCharCode(...data.subarray(i, i + 8192));
    }
    return btoa(text);
  };
}
//#end
//#if any

/** Whatever JSON can say. What comes may have a number that is too large for ours, unless it is in an object. */
function $json(large: boolean): $Type {
  const type: $Type = (value, c) => {
    if (Array.isArray(value)) {
      return Array.from(value, (item, i) => $at(c, i, type, item));
    }
    if (typeof value === "object" && value !== null) {
      return $members(value, c, type);
    }
    const number = large && !c.write ? !Number.isNaN(value) : Number.isFinite(value);
    return value === null || typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && number) ? value : $fail(c, "must be a value that JSON has");
  };
  return type;
}

const $any = /* @__PURE__ */ $json(true);
//#end
//#if members

/** Whether an object is of no class, in whatever realm it was made. One of a class may have more to say than its own members. */
function $isPlain(value: unknown): value is $Members {
  const proto: unknown = $isObject(value) && Object.getPrototypeOf(value);
  return proto === null || Object.getPrototypeOf(proto) === null;
}

function $members(value: unknown, c: $Context, elem: $Type, key?: $Type): $Members | undefined {
  if (!$isPlain(value)) {
    return $fail(c, "must be a plain object");
  }
  const out: [string, unknown][] = []; // fromEntries can also set __proto__
  for (const name of Object.keys(value)) {
    if (c.write && value[name] === undefined) {
      continue;
    }
    if (key !== undefined) {
      $at(c, name, key, name);
    }
    out.push([name, $at(c, name, elem, value[name])]);
  }
  return Object.fromEntries(out);
}
//#end
//#if map

function $map(elem: $Type, key?: $Type, min?: number, max?: number): $Type {
  return (value, c) => {
    const out = $members(value, c, elem, key);
    if (out !== undefined) {
      $size(c, Object.keys(out).length, "members", min, max);
    }
    return out;
  };
}
//#end
//#if array

function $array(elem: $Type, min?: number, max?: number): $Type {
  return (value, c) => {
    if (!Array.isArray(value)) {
      return $fail(c, "must be an array");
    }
    $size(c, value.length, "items", min, max);
    return Array.from(value, (item, i) => $at(c, i, elem, item));
  };
}
//#end
//#if tuple

/** An array with a type for each of the first items, the first `needed` of which are required. */
function $tuple(items: readonly $Type[], needed: number, rest?: $Type, min?: number, max?: number): $Type {
  return (value, c) => {
    if (!Array.isArray(value)) {
      return $fail(c, "must be an array");
    }
    if (value.length < needed) {
      return $fail(c, `must have at least ${needed} items, has ${value.length}`);
    }
    $size(c, value.length, "items", min, max);
    const out: unknown[] = [];
    for (const [i, item] of value.entries()) {
      const type = items[i] ?? rest;
      if (type !== undefined) {
        out.push($at(c, i, type, item));
      } else if (c.write) {
        $failAt(c, i, "is unknown");
      }
    }
    return out;
  };
}
//#end
//#if nullable

function $nullable(type: $Type): $Type {
  return (value, c) => (value === null ? null : type(value, c));
}
//#end
//#if enum

function $enum(values: readonly unknown[]): $Type {
  const kind = typeof values[0];
  return (value, c) => {
    if (typeof value !== kind || (kind === "number" && !Number.isInteger(value))) {
      return $fail(c, kind === "string" ? "must be a string" : "must be an integer");
    }
    return c.strict && !values.includes(value) ? $fail(c, `must be one of ${values.join(", ")}`) : value;
  };
}
//#end
//#if const

/** One value, in canonical JSON. A newer server may have another one of its kind. */
function $const(json: string): $Type {
  const only = JSON.parse(json) as unknown;
  const kind = (value: unknown): string => (value === null ? "null" : Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value);
  return (value, c) => {
    const given = c.write && value === undefined ? only : value;
    const fits = $equal(given, only) || (!c.strict && (kind(given) === kind(only) || (typeof given === "number" && kind(only) === "number")));
    return fits ? only : $fail(c, `must be ${json}`);
  };
}
//#end
//#if equal

/** Whether two values of JSON are the same, whatever the order of members. */
function $equal(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => $equal(item, b[i]));
  }
  if ($isObject(a) && $isObject(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && $equal(a[key], b[key]));
  }
  return a === b;
}
//#end
//#if struct

/** A field: its name on the wire, its type, 1 where it is optional, its default, and its name here. */
type $Field = readonly [wire: string, type: $Type, optional?: 1, initial?: unknown, name?: string];

/** extra is the type of members without a field; true passes over them, false refuses them. */
function $struct(fields: readonly $Field[], extra: $Type | boolean = false): $Type {
  const known = new Set(fields.map((field) => field[0]));
  const names = new Set(fields.map((field) => field[4] ?? field[0]));
  return (value, c) => {
    if (!$isObject(value)) {
      return $fail(c, "must be an object");
    }
    const out: [string, unknown][] = []; // fromEntries can also set __proto__
    for (const [wire, type, optional, initial, name = wire] of fields) {
      const [from, to] = c.write ? [name, wire] : [wire, name];
      let given = Object.hasOwn(value, from) ? value[from] : undefined;
      if (given === undefined && initial !== undefined && !c.write) {
        given = initial;
      }
      if (given !== undefined) {
        out.push([to, $at(c, wire, type, given)]);
      } else if (!optional && initial === undefined) {
        $failAt(c, wire, "is required");
      }
    }
    for (const key of Object.keys(value)) {
      if ((c.write ? names : known).has(key) || (c.write && value[key] === undefined)) {
        continue;
      }
      if (typeof extra === "function") {
        out.push([key, $at(c, key, extra, value[key])]);
      } else if (!extra && c.strict) {
        $failAt(c, key, "is unknown");
      }
    }
    return Object.fromEntries(out);
  };
}
//#end
//#if union

/** Objects that a member tells apart. A client keeps one that it does not know, from a newer server. */
function $union(tag: string, variants: ReadonlyMap<unknown, $Type>): $Type {
  return (value, c) => {
    if (!$isObject(value)) {
      return $fail(c, "must be an object");
    }
    const name = value[tag];
    const type = variants.get(name);
    if (type !== undefined) {
      return type(value, c);
    }
    if (!c.strict && (typeof name === "string" || typeof name === "number")) {
      return { [tag]: null, $tag: name, $json: value };
    }
    return $failAt(c, tag, name === undefined ? "is required" : `must be one of ${[...variants.keys()].join(", ")}`);
  };
}
//#end
//#if oneOf

/** Values that their JSON types tell apart. A client keeps one that it does not know, from a newer server; null is none. */
function $oneOf(kinds: Readonly<Record<string, $Type>>): $Type {
  return (value, c) => {
    const kind = { Array: "array", Uint8Array: "string", BigInt: "string" }[$tag(value)] ?? typeof value;
    const type = value === null ? undefined : kinds[kind];
    if (type !== undefined) {
      return type(value, c);
    }
    return c.strict || value === null ? $fail(c, `must be one of the types ${Object.keys(kinds).join(", ")}`) : { $unknown: value };
  };
}
//#end
//#if lazy

/** A type that is declared further down, because it contains the one at hand. */
function $lazy(type: () => $Type): $Type {
  return (value, c) => type()(value, c);
}
//#end
//#if check

/** A type of whose JSON a schema asks for more. */
function $check(type: $Type, schema: string): $Type {
  let parsed: $Schema | undefined;
  return (value, c) => {
    const before = c.issues.length;
    const out = type(value, c);
    if (c.strict && c.issues.length === before) {
      $judge((parsed ??= JSON.parse(schema) as $Schema), c.write ? out : value, c);
    }
    return out;
  };
}
//#end
