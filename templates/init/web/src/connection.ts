// The connection: who the page is, and where the server is.
import { type Client, connect } from "../../chat/client.gen.ts";
import { Refused } from "./words.ts";

/** Connects as somebody. Told is what the server says in place of a token; undefined when there is one. */
export function connectAs(user: string, told: (trouble: string | undefined) => void): Client {
  const token = async (): Promise<string> => {
    let response: Response;
    try {
      response = await fetch(`token?user=${encodeURIComponent(user)}`, { cache: "no-store", signal: AbortSignal.timeout(5_000) });
    } catch (error) { // the server cannot be reached, which is what a lost connection is, too
      told(undefined);
      throw error;
    }
    if ([400, 401, 403].includes(response.status)) {
      throw new Refused((await response.text()).trim() || "it gives no reason");
    }
    if (!response.ok) {
      told(`The server does not say who you are: its answer was ${response.status}.`);
      throw new Error(`no token: ${response.status} ${response.statusText}`);
    }
    told(undefined);
    return (await response.text()).trim();
  };
  // A dead link is noticed within fifteen seconds.
  return connect(new URL("ws", location.href), { token, heartbeat: { intervalMs: 10_000, timeoutMs: 5_000 } });
}
