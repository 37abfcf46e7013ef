// JSON Schema 2020-12, for what types do not say. It has the keywords that the generator lets through.
//#if schema

type $Schema = boolean | $Members;

/** What has been looked at: members by name and items by place, for the unevaluated keywords. */
interface $Seen {
  readonly members: Set<string>;
  readonly items: Set<number>;
}

interface $Judge {
  readonly root: $Schema;
  readonly report: (path: string, message: string) => void;
  /** How many schemas may still be asked, so that alternatives which contain each other come to an end. */
  budget: { left: number };
}

/** Reports what a schema refuses in a value of JSON. */
function $judge(schema: $Schema, value: unknown, c: $Context): void {
  const judge: $Judge = {
    root: schema,
    report: (path, message) => {
      const steps = path === "" ? [] : path.slice(1).split("/");
      c.path.push(...steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~")));
      $fail(c, message);
      c.path.length -= steps.length;
    },
    budget: { left: 1 << 18 },
  };
  $ask(judge, schema, value, "");
  if (judge.budget.left < 0) {
    $fail(c, "takes too long to check");
  }
}

/** Whether a schema allows a value; what it looked at is added to seen. */
function $fits(judge: $Judge, schema: $Schema, value: unknown, seen: $Seen): boolean {
  let wrong = false;
  const own = $ask({ ...judge, report: () => { wrong = true; } }, schema, value, "");
  if (!wrong) {
    $add(seen, own);
  }
  return !wrong;
}

function $add(seen: $Seen, more: $Seen): void {
  more.members.forEach((name) => seen.members.add(name));
  more.items.forEach((i) => seen.items.add(i));
}

function $ask(judge: $Judge, schema: $Schema, value: unknown, path: string): $Seen {
  const seen: $Seen = { members: new Set(), items: new Set() };
  if (--judge.budget.left < 0 || schema === true) {
    return seen;
  }
  if (schema === false) {
    judge.report(path, "is not allowed");
    return seen;
  }
  $askAny(judge, schema, value, path);
  $askNested(judge, schema, value, path, seen);
  if (typeof value === "string") {
    $askText(judge, schema, value, path);
  } else if (typeof value === "number") {
    $askNumber(judge, schema, value, path);
  } else if (Array.isArray(value)) {
    $askArray(judge, schema, value, path, seen);
  } else if ($isObject(value)) {
    $askObject(judge, schema, value, path, seen);
  }
  return seen;
}

function $askAny(judge: $Judge, schema: $Members, value: unknown, path: string): void {
  const kind = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  const types = [schema["type"] ?? []].flat() as string[];
  if (types.length > 0 && !types.some((t) => t === kind || (t === "integer" && Number.isInteger(value)))) {
    judge.report(path, `must be of the type ${types.join(" or ")}, is ${kind}`);
  }
  const values = schema["enum"];
  if (Array.isArray(values) && !values.some((one) => $equal(one, value))) {
    judge.report(path, `must be one of ${JSON.stringify(values)}`);
  }
  if ("const" in schema && !$equal(schema["const"], value)) {
    judge.report(path, `must be ${JSON.stringify(schema["const"])}`);
  }
}

function $askNested(judge: $Judge, schema: $Members, value: unknown, path: string, seen: $Seen): void {
  const list = (key: string): $Schema[] | undefined => schema[key] as $Schema[] | undefined;
  const one = (key: string): $Schema | undefined => schema[key] as $Schema | undefined;
  if (typeof schema["$ref"] === "string") {
    $add(seen, $ask(judge, $resolve(judge.root, schema["$ref"]), value, path));
  }
  list("allOf")?.forEach((part) => { $add(seen, $ask(judge, part, value, path)); });
  if (list("anyOf")?.map((part) => $fits(judge, part, value, seen)).includes(true) === false) {
    judge.report(path, "must match one of the alternatives");
  }
  const fitting = list("oneOf")?.filter((part) => $fits(judge, part, value, seen)).length;
  if (fitting !== undefined && fitting !== 1) {
    judge.report(path, `must match exactly one of the alternatives, and matches ${fitting}`);
  }
  const not = one("not");
  if (not !== undefined && $fits(judge, not, value, { members: new Set(), items: new Set() })) {
    judge.report(path, "is not allowed");
  }
  const condition = one("if");
  if (condition !== undefined) {
    const then = one($fits(judge, condition, value, seen) ? "then" : "else");
    if (then !== undefined) {
      $add(seen, $ask(judge, then, value, path));
    }
  }
}

function $resolve(root: $Schema, ref: string): $Schema {
  let at: unknown = root;
  for (const step of decodeURIComponent(ref.slice(1)).split("/").slice(1)) {
    at = (at as $Members)[step.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return at as $Schema;
}

/** Bounds of a size. */
function $askSize(judge: $Judge, schema: $Members, size: number, what: string, path: string): void {
  const [min, max] = [schema[`min${what}`] ?? 0, schema[`max${what}`] ?? Infinity] as [number, number];
  if (size < min || size > max) {
    judge.report(path, `must have ${size < min ? "at least" : "at most"} ${size < min ? min : max} ${what.toLowerCase()}, has ${size}`);
  }
}

function $askText(judge: $Judge, schema: $Members, value: string, path: string): void {
  $askSize(judge, schema, $length(value), "Length", path);
  $askContent(judge, schema, value, path);
  const pattern = schema["pattern"];
  if (typeof pattern === "string" && !new RegExp(pattern, "u").test(value)) {
    judge.report(path, `must match ${pattern}`);
  }
  //#if formats
  const format = schema["format"];
  const wrong = typeof format === "string" ? $format(format)(value) : undefined;
  if (wrong !== undefined) {
    judge.report(path, wrong);
  }
  //#end
}

/** What a string holds. */
function $askContent(judge: $Judge, schema: $Members, value: string, path: string): void {
  const { contentEncoding: encoding, contentMediaType: media, contentSchema: inner } = schema as Record<string, $Schema | string | undefined>;
  let content = value;
  if (encoding === "base64") {
    const bytes = $decoded(value);
    if (bytes === undefined) {
      judge.report(path, "must be base64 with padding");
      return;
    }
    content = new TextDecoder().decode(bytes);
  }
  if (media === "application/json") {
    try {
      const held: unknown = JSON.parse(content);
      if (inner !== undefined && !$fits(judge, inner as $Schema, held, { members: new Set(), items: new Set() })) {
        judge.report(path, "holds JSON that is not allowed");
      }
    } catch {
      judge.report(path, "must hold JSON");
    }
  }
}

function $askNumber(judge: $Judge, schema: $Members, value: number, path: string): void {
  const bound = (key: string, wrong: (limit: number) => boolean, words: string): void => {
    const limit = schema[key];
    if (typeof limit === "number" && wrong(limit)) {
      judge.report(path, `must be ${words} ${limit}`);
    }
  };
  bound("minimum", (limit) => value < limit, "at least");
  bound("maximum", (limit) => value > limit, "at most");
  bound("exclusiveMinimum", (limit) => value <= limit, "greater than");
  bound("exclusiveMaximum", (limit) => value >= limit, "less than");
  bound("multipleOf", (limit) => !$isMultiple(value, limit), "a multiple of");
}

/** Exact, in decimals: 0.3 is a multiple of 0.1. */
function $isMultiple(value: number, step: number): boolean {
  if (!Number.isFinite(value)) {
    return true; // its digits are not known any more
  }
  const parts = [value, step].map((n) => {
    const [digits = "0", exponent = "0"] = String(n).split("e");
    const [whole = "0", fraction = ""] = digits.split(".");
    return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
  }) as [{ digits: bigint; exponent: number }, { digits: bigint; exponent: number }];
  const least = Math.min(parts[0].exponent, parts[1].exponent);
  const [a, b] = parts.map((n) => n.digits * 10n ** BigInt(n.exponent - least)) as [bigint, bigint];
  return a % b === 0n;
}

function $askArray(judge: $Judge, schema: $Members, value: readonly unknown[], path: string, seen: $Seen): void {
  const prefix = (schema["prefixItems"] ?? []) as $Schema[];
  const items = schema["items"] as $Schema | undefined;
  value.forEach((item, i) => {
    const part = prefix[i] ?? items;
    if (part !== undefined) {
      seen.items.add(i);
      $ask(judge, part, item, `${path}/${i}`);
    }
  });
  $askSize(judge, schema, value.length, "Items", path);
  if (schema["uniqueItems"] === true && value.some((item, i) => value.slice(0, i).some((other) => $equal(item, other)))) {
    judge.report(path, "must have different items");
  }
  const contains = schema["contains"] as $Schema | undefined;
  if (contains !== undefined) {
    const found = value.map((item, i) => (contains === true || $fits(judge, contains, item, { members: new Set(), items: new Set() }) ? i : -1)).filter((i) => i >= 0);
    found.forEach((i) => seen.items.add(i));
    const { minContains = 1, maxContains = Infinity } = schema as { minContains?: number; maxContains?: number };
    if (found.length < minContains || found.length > maxContains) {
      judge.report(path, `must have from ${minContains} to ${maxContains} items of a kind, has ${found.length}`);
    }
  }
  const others = schema["unevaluatedItems"] as $Schema | undefined;
  if (others !== undefined) {
    value.forEach((item, i) => {
      if (!seen.items.has(i)) {
        seen.items.add(i);
        $ask(judge, others, item, `${path}/${i}`);
      }
    });
  }
}

function $askObject(judge: $Judge, schema: $Members, value: $Members, path: string, seen: $Seen): void {
  const names = Object.keys(value);
  const under = (name: string): string => `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  const schemas = (key: string): Record<string, $Schema> => (schema[key] ?? {}) as Record<string, $Schema>;
  for (const name of (schema["required"] ?? []) as string[]) {
    if (!Object.hasOwn(value, name)) {
      judge.report(under(name), "is required");
    }
  }
  $askSize(judge, schema, names.length, "Properties", path);
  const patterns = Object.entries(schemas("patternProperties"));
  for (const name of names) {
    const parts = patterns.filter(([pattern]) => new RegExp(pattern, "u").test(name)).map(([, part]) => part);
    if (Object.hasOwn(schemas("properties"), name)) {
      parts.push(schemas("properties")[name] as $Schema);
    }
    if (parts.length === 0 && schema["additionalProperties"] !== undefined) {
      parts.push(schema["additionalProperties"] as $Schema);
    }
    if (schema["propertyNames"] !== undefined) {
      $ask(judge, schema["propertyNames"] as $Schema, name, under(name));
    }
    for (const part of parts) {
      seen.members.add(name);
      $ask(judge, part, value[name], under(name));
    }
  }
  for (const [name, wanted] of Object.entries((schema["dependentRequired"] ?? {}) as Record<string, string[]>)) {
    const missing = Object.hasOwn(value, name) ? wanted.filter((other) => !Object.hasOwn(value, other)) : [];
    missing.forEach((other) => { judge.report(under(other), `is required where ${name} is`); });
  }
  for (const [name, part] of Object.entries(schemas("dependentSchemas"))) {
    if (Object.hasOwn(value, name)) {
      $add(seen, $ask(judge, part, value, path));
    }
  }
  const others = schema["unevaluatedProperties"] as $Schema | undefined;
  if (others !== undefined) {
    for (const name of names.filter((one) => !seen.members.has(one))) {
      seen.members.add(name);
      $ask(judge, others, value[name], under(name));
    }
  }
}
//#end
