// What the page says of errors, in words for people.
import { CloseError, type Gap } from "../../chat/client.gen.ts";

/** The server lets nobody in under this name. */
export class Refused extends Error {}

/** Says why messages may be missing. */
export function ofGap({ member, reason }: Gap): string {
  const why = member && reason === "expired" ? "you were away for too long" : "the server was restarted";
  return `Messages may be missing here: ${why}`;
}

/** Says why the page does not connect any more. */
export function ofEnd(error: unknown): string {
  if (error instanceof Refused) {
    return `The server does not let this name in: ${error.message}`;
  }
  if (!(error instanceof CloseError)) {
    return "You are not connected.";
  }
  switch (error.code) {
    case 4401:
    case 4403:
      return `The server does not let this name in: ${error.reason || "it gives no reason"}`;
    case 4409:
      return "You are connected in another place now.";
  }
  return `The server has ended the connection${error.reason === "" ? "." : `: ${error.reason}`}`;
}

/** Says what went wrong with something, in the words that came with it. */
export function ofError(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : "something went wrong";
}
