// The fixtures of conformance/, replayed against the TypeScript client. conformance/README.md is their format, and the Go files beside it
// are built as this one is.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { Client, connect, ConnectionError, InvalidMessageError, ServerError } from "../../conformance/talk/client.gen.ts";
import type { ClientOptions } from "../../conformance/talk/client.gen.ts";
import { FakeSocket, frozen, last, pass, settle } from "./socket.ts";

type Value = Record<string, unknown>;
type Step = Value;

interface Fixture {
  about: string;
  only?: string[];
  profiles?: string[];
  client?: { path?: string; tokens?: string[]; tokenIn?: "query" | "subprotocol"; queue?: NonNullable<ClientOptions["queue"]> };
  steps: Step[];
}

/** What a fixture has, and the settings of its client. */
const parts = ["about", "only", "profiles", "client", "server", "steps"];
const settings = ["path", "tokens", "tokenIn", "queue"];

const modifiers = ["with", "on", "profiles", "times"];

/** The actions, and what their values have where those are objects of a fixed form. */
const actions: Record<string, string[] | undefined> = {
  c2s: ["type", "meta", "payload", "data", "id"], s2c: ["type", "meta", "payload", "data"],
  c2sRaw: ["text", "bytes", "binary"], s2cRaw: ["text", "bytes", "binary"],
  connect: ["path", "token", "offered", "chosen", "refused", "afterMs", "withinMs"],
  close: ["code", "reason"], hangup: ["code"], cut: undefined, beat: undefined, drain: undefined, pass: undefined,
  call: undefined, abort: undefined,
  result: undefined, progress: undefined, event: ["type", "payload", "meta"], unknown: undefined, state: undefined,
  error: ["code", "retryable", "retryAfterMs", "maybeApplied", "details"],
  onError: ["code", "retryable", "retryAfterMs", "maybeApplied", "details", "reason"],
  lost: ["reason", "maybeApplied"], invalid: ["paths"],
  gap: ["room", "member", "reason", "first", "seq"],
};

function known(value: object, keys: string[]): void {
  for (const key of Object.keys(value)) {
    assert.ok(keys.includes(key.replace(/\?$/, "")), `there is no ${key}`);
  }
}

/** The action of a step and its value. */
function action(step: Step): [name: string, value: unknown] {
  const names = Object.keys(step).filter((key) => !modifiers.includes(key));
  const name = names[0] ?? "";
  assert.ok(names.length === 1 && name in actions, `${JSON.stringify(step)} has not one action`);
  const keys = actions[name];
  if (keys !== undefined) {
    known(step[name] as object, keys);
  }
  return [name, step[name]];
}

/** What stands for a value that is not known before. */
class Names {
  readonly #known = new Map<string, unknown>();

  matches(want: unknown, got: unknown): boolean {
    if (want === "*") {
      return got !== null && got !== undefined;
    }
    if (typeof want === "string" && /^\$(?!ws:)/.test(want)) {
      if (!this.#known.has(want)) {
        this.#known.set(want, got);
      }
      return this.#known.get(want) === got;
    }
    if (Array.isArray(want)) {
      return Array.isArray(got) && got.length === want.length && want.every((item, i) => this.matches(item, got[i]));
    }
    if (typeof want === "object" && want !== null) {
      return typeof got === "object" && got !== null && !Array.isArray(got) && this.#matchesObject(want as Value, got as Value);
    }
    return want === got;
  }

  /** Compares an object. A member whose name ends with ? may be missing. */
  #matchesObject(want: Value, got: Value): boolean {
    const rest = new Set(Object.keys(got));
    for (const [key, value] of Object.entries(want)) {
      const name = key.replace(/\?$/, "");
      if (!rest.delete(name) ? name === key : !this.matches(value, got[name])) {
        return false;
      }
    }
    return rest.size === 0;
  }

  /** Puts in what stands for a name. One that was not met before is 32 characters that begin with it. */
  fill(value: unknown): unknown {
    if (typeof value === "string" && /^\$(?!ws:)/.test(value)) {
      if (!this.#known.has(value)) {
        this.#known.set(value, value.padEnd(32, "0"));
      }
      return this.#known.get(value);
    }
    if (Array.isArray(value)) {
      return value.map((item) => this.fill(item));
    }
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.replace(/\?$/, ""), this.fill(member)]));
    }
    return value;
  }

  /** Compares a value, as JSON has it, with what is wanted of it. */
  expect(want: unknown, value: unknown): void {
    const got: unknown = JSON.parse(JSON.stringify(value));
    if (!this.matches(want, got)) {
      assert.deepEqual(got, want);
      assert.fail(`got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
    }
  }
}

/** An error as the README has it. */
function failure(error: unknown): Value {
  if (error instanceof ServerError) {
    const { code, retryable, retryAfterMs, maybeApplied, details } = error as ServerError;
    return { code, retryable, retryAfterMs: retryAfterMs > 0 ? retryAfterMs : undefined, maybeApplied, details };
  }
  return { reason: error instanceof ConnectionError ? error.reason : "other" };
}

/** What became of a call that failed. */
function outcome(error: unknown): Value {
  if (error instanceof InvalidMessageError) {
    return { invalid: { paths: error.issues.map((issue) => issue.path) } };
  }
  if (error instanceof ServerError) {
    return { error: failure(error) };
  }
  if (error instanceof ConnectionError) {
    return { lost: { reason: error.reason, maybeApplied: error.maybeApplied } };
  }
  return error instanceof Error && error.name === "AbortError" ? { abort: true } : { failed: String(error) };
}

/** A payload as the README has it: a variant that the schema does not have is {"unknown": its JSON}. */
function neutral(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(neutral);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  return "$json" in value ? { unknown: value.$json } : Object.fromEntries(Object.entries(value).map(([key, member]) => [key, neutral(member)]));
}

/** A client in a replay, with the program that uses it, and the server's end of its connections. */
class Player {
  readonly #profile: string;
  readonly #client: Client;
  readonly #told: Record<string, unknown[]> = { outcome: [], progress: [], event: [], unknown: [], onError: [], gap: [], state: [] };
  readonly #sockets = new Map<unknown, FakeSocket>(); // by their names; undefined is the name of the last one, "before" of the one before it
  readonly #seen = new Map<FakeSocket, number>(); // frames that a step has looked at
  readonly #names = new Names();
  #abort = new AbortController(); // ends the last call
  #made = 0; // that a step has waited for
  #acted = Date.now(); // when the server did something last

  constructor({ path = "", tokens = [], tokenIn, queue }: NonNullable<Fixture["client"]>, profile: string) {
    this.#profile = profile;
    let next = 0;
    const token = tokens.length > 1 ? () => tokens[Math.min(next++, tokens.length - 1)] : tokens[0];
    this.#client = connect(`ws://localhost${path}`, {
      WebSocket: FakeSocket, backoff: { baseMs: 1, maxMs: 1 },
      ...(token === undefined ? {} : { token }), ...(tokenIn === "query" ? { tokenPlacement: "query" } : {}), ...(queue === undefined ? {} : { queue }),
    });
    this.#listen();
  }

  #listen(): void {
    const { event, unknown, onError, gap, state } = this.#told;
    const client = this.#client;
    client.onState((s) => { state?.push(s); });
    client.onError((error) => {
      if (client.state !== "closed" || error !== client.error) { // that it has stopped is a state
        onError?.push(failure(error));
      }
    });
    client.onUnknown((type) => { unknown?.push(type); });
    client.onGap((missed) => { gap?.push(missed); });
    client.on("NOTE", () => { event?.push({ type: "NOTE" }); });
    client.on("NEWS", (payload) => { event?.push({ type: "NEWS", payload }); });
    client.on("$ws:presence", (payload) => { event?.push({ type: "$ws:presence", payload }); });
    client.on("NOTIFY", (payload, { trace }) => { event?.push({ type: "NOTIFY", payload: neutral(payload), meta: { trace } }); });
  }

  /** Does what the server and the program do in a step, and wants of the client what it does, and tells the program. */
  async do(name: string, value: unknown, step: Step): Promise<void> {
    const socket = this.#sockets.get(step["on"]);
    const fields = value as Value;
    switch (name) {
      case "connect":
        await this.#connect(fields, step["on"]);
        break;
      case "c2s":
        this.#names.expect(value, await this.#sent(socket));
        break;
      case "s2c":
        this.#acted = Date.now();
        socket?.receive(this.#names.fill(value));
        break;
      case "s2cRaw":
        this.#acted = Date.now();
        socket?.onmessage?.({ data: fields["binary"] === true ? new ArrayBuffer(2) : fields["text"] } as never);
        break;
      case "close":
        this.#acted = Date.now();
        socket?.drop(fields["code"] as number, fields["reason"] as string);
        break;
      case "cut":
        this.#acted = Date.now();
        socket?.drop();
        break;
      case "hangup":
        await this.#until(() => socket?.closed !== undefined, "the client does not close the connection");
        assert.equal(socket?.closed, fields["code"]);
        break;
      case "beat":
        this.#names.expect({ type: "__heartbeat" }, await this.#sent(socket));
        this.#acted = Date.now();
        if (value === true) {
          socket?.receive({ type: "__heartbeat_ack", meta: { ts: Date.now() } });
        }
        break;
      case "pass":
        await pass(value as number);
        break;
      case "call":
        this.#call(value as string, step["with"]);
        break;
      case "abort":
        this.#abort.abort();
        this.#names.expect({ abort: true }, await this.#next("outcome"));
        break;
      case "result": case "error": case "lost": case "invalid":
        this.#names.expect({ [name]: value }, await this.#next("outcome"));
        break;
      case "progress": case "event": case "unknown": case "onError": case "gap": case "state":
        this.#names.expect(value, await this.#next(name));
        break;
    }
    await settle();
  }

  /** Wants the client to have done nothing else, and the program to have been told nothing else. */
  async end(): Promise<void> {
    await settle();
    for (const [kind, told] of Object.entries(this.#told)) {
      assert.deepEqual(told, [], `the program is told, too: ${kind}`);
    }
    for (const socket of this.#sockets.values()) {
      assert.deepEqual(socket.sent.slice(this.#seen.get(socket) ?? 0), [], "the client sends, too");
    }
    assert.equal(FakeSocket.all.length, this.#made, "the client connects once more");
    this.#client.close();
  }

  /** Waits for the client to connect, compares how it does that, and answers it. */
  async #connect(how: Value, on: unknown): Promise<void> {
    const { path, token, offered, chosen = this.#profile, afterMs = 0, withinMs = 5 } = how as {
      path?: string; token?: string; offered?: string[]; chosen?: string; afterMs?: number; withinMs?: number;
    };
    assert.equal(how["refused"], undefined, "no client in a browser is told that");
    await settle();
    while (FakeSocket.all.length === this.#made && Date.now() - this.#acted < afterMs + withinMs) {
      await pass(1);
    }
    assert.equal(FakeSocket.all.length, ++this.#made, "it does not come, or more than once");
    const waited = Date.now() - this.#acted;
    assert.ok(waited >= afterMs && waited <= afterMs + withinMs, `it comes after ${waited} ms`);
    this.#acted = Date.now();
    const socket = last();
    if (offered !== undefined) {
      assert.deepEqual(socket.offered, offered);
    }
    if (path !== undefined) {
      assert.deepEqual([...socket.url.searchParams].sort(), [...new URL(path, "ws://localhost").searchParams].sort());
    }
    if (token !== undefined) {
      const shown = socket.offered.find((name) => name.startsWith("bearer."))?.slice("bearer.".length) ?? socket.url.searchParams.get("access_token");
      assert.equal(shown, token);
    }
    const before = this.#sockets.get(on);
    if (on === undefined && before !== undefined) {
      this.#sockets.set("before", before);
    }
    this.#sockets.set(on, socket.open(chosen));
    await settle();
  }

  /** The next frame that was sent. Each request has meta.timeoutMs in the extended profile, and nothing else has. */
  async #sent(socket: FakeSocket | undefined): Promise<unknown> {
    assert.ok(socket, "there is no such connection");
    const n = this.#seen.get(socket) ?? 0;
    this.#seen.set(socket, n + 1);
    await this.#until(() => socket.sent.length > n, "nothing is sent");
    const frame = structuredClone(socket.sent[n]);
    const request = this.#profile !== "" && frame?.meta?.correlationId !== undefined && frame.type !== "$ws:abort";
    const ms = frame?.meta?.timeoutMs;
    assert.ok(request ? Number.isInteger(ms) && Number(ms) >= 1 : ms === undefined, `timeoutMs of ${JSON.stringify(frame)}`);
    delete frame?.meta?.timeoutMs;
    return frame;
  }

  /** The next thing of a kind that the program is told. */
  async #next(kind: string): Promise<unknown> {
    const told = this.#told[kind] ?? [];
    await this.#until(() => told.length > 0, `the program is not told: ${kind}`);
    return told.shift();
  }

  /** Waits for a condition, for as long as a minute. */
  async #until(condition: () => boolean, otherwise: string): Promise<void> {
    await settle();
    for (let ms = 0; !condition(); ms += 100) {
      assert.ok(ms < 60_000, otherwise);
      await pass(100);
    }
  }

  /** Calls a method. */
  #call(name: string, said: unknown): void {
    const told = this.#told["outcome"] ?? [];
    const failed = (error: unknown): void => { told.push(outcome(error)); };
    this.#abort = new AbortController();
    const { meta, ...more } = (said ?? {}) as Value;
    const options = { signal: this.#abort.signal, onProgress: (value: unknown) => this.#told["progress"]?.push(value), ...(meta === undefined ? {} : { meta }) };
    try {
      const result = this.#invoke(name, said === undefined ? undefined : more, meta, options);
      if (result === false) {
        failed(new ConnectionError(this.#client.state === "closed" ? "closed" : "queue-full", "it was not sent"));
      } else if (result instanceof Promise) {
        result.then((value: unknown) => told.push({ result: value ?? null }), failed);
      }
    } catch (error) {
      failed(error);
    }
  }

  #invoke(name: string, said: unknown, meta: unknown, options: unknown): unknown {
    const methods = this.#client as unknown as Record<string, (...args: unknown[]) => unknown>;
    switch (name) {
      case "refresh":
        return methods[name]?.((said as Value)["token"], options);
      case "ping": case "poke": case "close":
        return methods[name]?.();
      case "join": case "leave": case "say":
        return methods[name]?.(said);
      case "ring":
        return methods[name]?.(said, meta);
    }
    return said === undefined ? methods[name]?.(options) : methods[name]?.(said, options);
  }
}

async function replay(fixture: Fixture, profile: string): Promise<void> {
  const player = new Player(fixture.client ?? {}, profile);
  if (fixture.steps.find((step) => step["call"] === undefined)?.["connect"] === undefined) {
    await player.do("connect", {}, {});
    await player.do("state", "open", {});
  }
  for (const [i, step] of fixture.steps.entries()) {
    const [name, value] = action(step);
    if ((step["profiles"] as string[] | undefined)?.includes(profile) === false) {
      continue;
    }
    for (let n = 0; n < Number(step["times"] ?? 1); n++) {
      await player.do(name, value, step).catch((error: unknown) => {
        throw new Error(`step ${i}, ${JSON.stringify(step)}: ${String(error)}`, { cause: error });
      });
    }
  }
  await player.end();
}

const folder = new URL("../../conformance/fixtures/", import.meta.url);
for (const file of readdirSync(folder)) {
  const fixture = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Fixture;
  known(fixture, parts);
  known(fixture.client ?? {}, settings);
  fixture.steps.forEach(action); // also those that no replay comes to
  const ours = fixture.only === undefined || fixture.only.some((side) => side === "client" || side === "browser");
  for (const profile of ours ? (fixture.profiles ?? ["", "wsgen.v1"]) : []) {
    test(`${file} in ${profile === "" ? "the base profile" : profile}: ${fixture.about}`, frozen(() => replay(fixture, profile)));
  }
}
