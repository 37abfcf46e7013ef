// What the tests of a client of golden/rpc share.
import { type ClientOptions, connect, type State } from "../../golden/rpc/rpc/client.gen.ts";
import { FakeSocket, last } from "./socket.ts";

export const url = "https://example.com/ws?a=1#b";

/** A client that is connected. */
export function open(options: ClientOptions = {}): { client: ReturnType<typeof connect>; socket: FakeSocket; states: State[]; errors: unknown[] } {
  const client = connect(url, { WebSocket: FakeSocket, ...options });
  const states: State[] = [];
  const errors: unknown[] = [];
  client.onState((state) => states.push(state));
  client.onError((error) => errors.push(error));
  return { client, socket: last().open(), states, errors };
}

/** What becomes of a promise: its error, or undefined while it waits. */
export function failure(promise: Promise<unknown>): { error: unknown; done: boolean } {
  const out = { error: undefined as unknown, done: false };
  promise.then(
    () => { out.done = true; },
    (error: unknown) => { Object.assign(out, { error, done: true }); },
  );
  return out;
}
