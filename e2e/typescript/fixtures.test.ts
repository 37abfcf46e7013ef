// The conversations of golden/rpc/fixtures, replayed against the TypeScript client.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { connect, ConnectionError, ServerError } from "../../golden/rpc/rpc/client.gen.ts";
import { FakeSocket, frozen, last, pass, settle } from "./socket.ts";

interface Step {
  call?: "getItem" | "touch" | "listItems" | "count" | "ping";
  with?: unknown;
  c2s?: unknown;
  s2c?: unknown;
  result?: unknown;
  error?: { code: string; retryable: boolean; maybeApplied?: boolean; details?: unknown };
  progress?: unknown;
  unknown?: string;
  abort?: true;
  close?: { code: number; reason: string };
  lost?: { maybeApplied: boolean };
  state?: string;
  connect?: unknown;
  before?: true;
}

/** Whether a value is what is wanted: "$1" is any text, the same wherever it stands. */
function wanted(want: unknown, names: Map<string, unknown>, got: unknown): unknown {
  if (typeof want === "string" && /^\$\d/.test(want)) {
    return names.get(want) ?? (names.set(want, got), got);
  }
  if (typeof want === "object" && want !== null && !Array.isArray(want)) {
    return Object.fromEntries(Object.entries(want).map(([key, value]) => [key, wanted(value, names, (got as Record<string, unknown> | undefined)?.[key])]));
  }
  return want;
}

async function replay(steps: Step[], profile: string): Promise<void> {
  const client = connect("ws://localhost", { WebSocket: FakeSocket });
  let socket = last().open(profile);
  let before = socket;
  let abort = new AbortController();
  const names = new Map<string, unknown>();
  const told: { progress: unknown[]; unknown: string[] } = { progress: [], unknown: [] };
  client.onUnknown((type) => told.unknown.push(type));
  const sent = new Map<FakeSocket, number>(); // frames that a step has looked at
  let call: Promise<unknown> = Promise.resolve();
  for (const step of steps) {
    if (step.call === "ping") {
      client.ping();
    } else if (step.call !== undefined) {
      abort = new AbortController();
      const options = { signal: abort.signal, onProgress: (value: unknown) => told.progress.push(value) };
      const method = client[step.call].bind(client) as (...args: unknown[]) => Promise<unknown>;
      call = step.with === undefined ? method(options) : method(step.with, options);
      call.catch(() => undefined); // it is looked at in its step
    } else if (step.c2s !== undefined) {
      const on = step.before === true ? before : socket;
      const n = sent.get(on) ?? 0;
      sent.set(on, n + 1);
      const frame = on.sent[n];
      delete frame?.meta?.timeoutMs;
      assert.deepEqual(frame, wanted(step.c2s, names, frame));
    } else if (step.s2c !== undefined) {
      (step.before === true ? before : socket).receive(wanted(step.s2c, names, undefined));
      await settle();
    } else if (step.progress !== undefined) {
      assert.deepEqual(told.progress.shift(), step.progress);
    } else if (step.unknown !== undefined) {
      assert.equal(told.unknown.shift(), step.unknown);
    } else if (step.abort !== undefined) {
      abort.abort();
      await assert.rejects(call, { name: "AbortError" });
    } else if (step.close !== undefined) {
      socket.drop(step.close.code, step.close.reason);
    } else if (step.lost !== undefined) {
      const { lost } = step;
      await assert.rejects(call, (e) => e instanceof ConnectionError && e.maybeApplied === lost.maybeApplied);
    } else if (step.state !== undefined) {
      assert.equal(client.state, step.state);
    } else if (step.connect !== undefined) {
      before = socket;
      for (let s = 0; s < 3 && last() === before; s++) {
        await pass(1000);
      }
      assert.notEqual(last(), before, "it does not come back");
      assert.equal(socket.sent.length, sent.get(socket) ?? 0, "nothing else was sent");
      socket = last().open(profile);
    } else if (step.error !== undefined) {
      const { error } = step;
      await assert.rejects(call, (e) => {
        assert.ok(e instanceof ServerError);
        const { code, retryable, maybeApplied, details } = e as ServerError;
        const got = { code, retryable, ...(maybeApplied === undefined ? {} : { maybeApplied }), ...(details === undefined ? {} : { details }) };
        assert.deepEqual(got, error);
        return true;
      });
    } else {
      assert.deepEqual((await call) ?? null, step.result);
    }
  }
  for (const one of [before, socket]) {
    assert.equal(one.sent.length, sent.get(one) ?? 0, "nothing else was sent");
  }
  client.close();
}

const folder = new URL("../../golden/rpc/fixtures/", import.meta.url);
for (const name of readdirSync(folder).filter((file) => file.endsWith(".json"))) {
  const fixture = JSON.parse(readFileSync(new URL(name, folder), "utf8")) as { about: string; only?: string[]; profiles?: string[]; steps: Step[] };
  for (const profile of fixture.only?.includes("client") === false ? [] : (fixture.profiles ?? ["", "wsgen.v1"])) {
    test(`${name} in ${profile === "" ? "the base profile" : profile}: ${fixture.about}`, frozen(() => replay(fixture.steps, profile)));
  }
}
