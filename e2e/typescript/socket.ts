// The server's end of a client, by hand: frame by frame, and with a clock that the test moves.
import assert from "node:assert/strict";
import { mock } from "node:test";

import type { WebSocketLike } from "../../golden/rpc/rpc/client.gen.ts";

/** What a frame may have. */
export interface Frame {
  type: string;
  meta?: { correlationId?: string; timeoutMs?: number };
  payload?: unknown;
}

/** A WebSocket whose other end is the test. */
export class FakeSocket implements WebSocketLike {
  static all: FakeSocket[] = [];

  readonly url: URL;
  readonly offered: string[];
  readonly sent: Frame[] = [];
  protocol = "";
  readyState = 0;
  bufferedAmount = 0;
  closed: number | undefined;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;

  constructor(url: string, protocols: string[]) {
    this.url = new URL(url);
    this.offered = protocols;
    FakeSocket.all.push(this);
  }

  send(data: string): void {
    assert.equal(this.readyState, 1, "sent on a socket that is not open");
    this.sent.push(JSON.parse(data) as Frame);
  }

  close(code = 1000): void {
    this.closed ??= code;
    this.readyState = 3;
  }

  /** Lets the client in. */
  open(protocol = "wsgen.v1"): this {
    this.protocol = protocol;
    this.readyState = 1;
    this.onopen?.({} as never);
    return this;
  }

  receive(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) } as never);
  }

  /** Ends the connection. */
  drop(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason } as never);
  }

  /** Answers a request that was sent as the nth frame. */
  answer(n: number, type: string, payload?: unknown): void {
    this.receive({ type, meta: { correlationId: this.sent.at(n)?.meta?.correlationId }, payload });
  }

  /** The types of what was sent. */
  get types(): string[] {
    return this.sent.map((frame) => frame.type);
  }
}

/** The socket that was made last. */
export function last(): FakeSocket {
  const socket = FakeSocket.all.at(-1);
  assert.ok(socket, "nobody has connected");
  return socket;
}

/** How many timers wait. */
export function timers(): number {
  return waiting.size;
}

const waiting = new Set<unknown>();

/** Counts the timers that wait, with the clock that is there. */
function count(): void {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  waiting.clear();
  mock.method(globalThis, "setTimeout", (run: () => void, ms: number) => {
    const timer = set(() => { waiting.delete(timer); run(); }, ms);
    waiting.add(timer);
    return timer;
  });
  mock.method(globalThis, "clearTimeout", (timer: ReturnType<typeof set>) => {
    waiting.delete(timer);
    clear(timer);
  });
}

/** Time stands still until it is moved, and chance is what the test says: the upper end of everything unless told otherwise. */
export function frozen(run: () => Promise<void> | void): () => Promise<void> {
  return async () => {
    FakeSocket.all = [];
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
    mock.method(Math, "random", () => 0.999999);
    count();
    mock.method(console, "error", () => undefined); // what nobody listens for
    try {
      await run();
    } finally {
      mock.restoreAll();
      mock.timers.reset();
    }
  };
}

/** Moves the time on. */
export async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await settle();
}

/** Lets all promises that are settled be noticed. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) {
    await Promise.resolve();
  }
}
