// What a program gives to a client and gets from it: settings and errors.

/** What a client is doing. */
export type State = "connecting" | "open" | "reconnecting" | "closed";

/** The part of the WebSocket interface that a client uses; that of browsers, Node 22, Bun, Deno and the package ws have it. */
export interface WebSocketLike {
  readonly protocol: string;
  readonly readyState: number;
  readonly bufferedAmount?: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

/** Settings of a client; each has a default. Times are in milliseconds. */
export interface ClientOptions {
  /**
   * The token that the server authenticates the connection by, or a function that returns one, which is called before each
   * attempt to connect. When it throws or rejects, that is told to onError and tried again later.
   */
  readonly token?: string | (() => string | undefined | Promise<string | undefined>) | undefined;
  /**
   * Where the token travels: as the subprotocol `bearer.<token>`, which is not logged on the way, or as `access_token` in the
   * query, for tokens with characters that a subprotocol cannot have. The default is "protocol".
   */
  readonly tokenPlacement?: "protocol" | "query" | undefined;
  /** More subprotocols to offer. */
  readonly protocols?: readonly string[] | undefined;
  /** The WebSocket to use; globalThis.WebSocket unless given. */
  readonly WebSocket?: (new (url: string, protocols: string[]) => WebSocketLike) | undefined;
  /** Whether to connect at once; true unless given. Else it waits for connect(), as programs want that are rendered on a server, too. */
  readonly autoConnect?: boolean | undefined;
  /** Whether to connect again; true unless given. */
  readonly reconnect?: boolean | undefined;
  /**
   * The wait before an attempt is random, from 0 to baseMs·2ⁿ after n failures in a row and at most maxMs. Failures are forgotten
   * once a connection lasted stableMs. 300, 10,000 and 5,000 unless given.
   */
  readonly backoff?: { readonly baseMs?: number | undefined; readonly maxMs?: number | undefined; readonly stableMs?: number | undefined } | undefined;
  /**
   * What waits while there is no connection: how many frames, and what becomes of one more: it is refused, it takes the place of the
   * oldest, or nothing waits at all. 1000 and "drop-newest" unless given.
   */
  readonly queue?: { readonly size?: number | undefined; readonly policy?: "drop-newest" | "drop-oldest" | "off" | undefined } | undefined;
  /**
   * How many bytes may wait in the socket for a network that is too slow; 16 MiB unless given. More is refused as by a queue that is full.
   */
  readonly maxBufferedBytes?: number | undefined;
  /** How many requests may wait for their answer; 1000 unless given. */
  readonly pendingLimit?: number | undefined;
  /** How long an attempt to connect may take, the token included; 30,000 unless given. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a quiet connection is left alone, and how long the server may take to answer then; 25,000 and 10,000 unless given; 0: no heartbeats. */
  readonly heartbeat?: { readonly intervalMs?: number | undefined; readonly timeoutMs?: number | undefined } | undefined;
}

/** Settings of one request. P are the values on the way to its answer; never: there are none. */
export interface RequestOptions<P = never> {
  /** Ends the request: what is queued is taken back, what is sent is cancelled at the server. */
  readonly signal?: AbortSignal | undefined;
  /** How long the answer may take once the request is sent; that of the schema unless given. Infinity is as long as a timer goes, 24 days. */
  readonly timeoutMs?: number | undefined;
  /** Is called for each value on the way to the answer, where there are such. */
  readonly onProgress?: ([P] extends [never] ? never : (value: P) => void) | undefined;
}

/** What comes with a message of the server. */
export interface MessageMeta {
  /** When it was sent, in milliseconds since 1970, where the server tells. */
  readonly timestamp?: number;
  /** The room that it was published in, such as room:general. */
  readonly room?: string;
  /** Its number in the room, in rooms with a history. */
  readonly seq?: number;
}

/** An error with a code: of the server, or DEADLINE_EXCEEDED of a request that took too long. isError tells its details. */
export class ServerError<C extends string = string> extends Error {
  readonly code: C;
  /** Whether the same may succeed later. */
  readonly retryable: boolean;
  /** How long to wait before that, in milliseconds; 0: the server does not say. */
  readonly retryAfterMs: number;
  /** What the schema declares for the code. */
  readonly details: C extends keyof ErrorDetails ? ErrorDetails[C] | undefined : unknown;
  /** Whether the request may have been carried out all the same; undefined: the server does not say. */
  readonly maybeApplied: boolean | undefined;

  constructor(code: C, message: string, more: { retryable?: boolean | undefined; retryAfterMs?: number; details?: unknown; maybeApplied?: boolean | undefined } = {}) {
    super(message);
    this.name = "ServerError";
    this.code = code;
    this.retryable = more.retryable ?? /^(?:DEADLINE_EXCEEDED|ABORTED|RESOURCE_EXHAUSTED|UNAVAILABLE)$/.test(code);
    this.retryAfterMs = more.retryAfterMs ?? 0;
    this.details = more.details as ServerError<C>["details"];
    this.maybeApplied = more.maybeApplied;
  }
}

/** Whether an error is a ServerError with a code of the schema, or of every server; its details are typed then. */
export function isError<C extends ErrorCode>(error: unknown, code: C): error is ServerError<C> {
  return error instanceof ServerError && error.code === code;
}

/** A request or a message that got no answer because of the connection. */
export class ConnectionError extends Error {
  /**
   * closed: the client has stopped. disconnected: the connection was lost. queue-full: too much waited to be sent.
   * too-many-requests: too many waited for their answer. overflow: an iterator was not read from.
   */
  readonly reason: "closed" | "disconnected" | "queue-full" | "too-many-requests" | "overflow";
  /** Whether the server may have carried the request out all the same. */
  readonly maybeApplied: boolean;

  constructor(reason: ConnectionError["reason"], message: string, options?: { maybeApplied?: boolean; cause?: unknown }) {
    super(message, { cause: options?.cause });
    this.name = "ConnectionError";
    this.reason = reason;
    this.maybeApplied = options?.maybeApplied ?? false;
  }
}

/** A connection that ended with a close code (RFC 6455, section 7.4); 1006: without one. */
export class CloseError extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string) {
    super(`connection closed with ${code}${reason === "" ? "" : `: ${reason}`}`);
    this.name = "CloseError";
    this.code = code;
    this.reason = reason;
  }
}
//#if history

/** Messages of a room that the client has missed and cannot get any more, or the end of its membership. */
export interface Gap {
  /** The room, such as room:general. */
  readonly room: string;
  /** Whether the client is a member again, and gets what is published from here on; else it has to join again. */
  readonly member: boolean;
  /** expired, reset or unknown; the server's words where the client is no member. */
  readonly reason: string;
  /** The number of the oldest message that the room still has. */
  readonly first: number;
  /** The number of the room's last message before the client was a member again. */
  readonly seq: number;
}
//#end
