// The connection: one WebSocket that comes back by itself, a queue while it is away, requests, and what the server sends.

/** What a client knows of a request; of an event, only the first three. */
interface $Message {
  readonly type: string;
  readonly payload: $Type | undefined;
  readonly meta?: $Type;
  readonly maxBytes?: number;
  readonly reply?: string;
  readonly response?: $Type;
  readonly progress?: $Type;
  readonly timeoutMs?: number;
  readonly idempotent?: boolean;
}

/** What a message says, as it travels. */
interface $Body {
  readonly meta?: $Members | undefined;
  readonly payload?: unknown;
}

/** Checks what a message is to say. */
function $body(message: $Message, payload: unknown, meta: unknown): $Body {
  return {
    meta: message.meta && ($convert(message.meta, meta ?? {}, `${message.type}.meta`, true, true) as $Members),
    payload: message.payload && $convert(message.payload, payload, message.type, true, true),
  };
}

/** What the server sends. */
interface $Inbound {
  readonly payload?: $Type;
  readonly meta?: $Type;
}

interface $Call {
  readonly id: string;
  readonly message: $Message;
  readonly body: $Body;
  readonly timeoutMs: number;
  readonly onProgress: ((value: unknown) => void) | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly stop: () => void;
  socket?: WebSocketLike | undefined; // it was sent on
  timer?: ReturnType<typeof setTimeout>;
  due?: number;
}

/** A frame that waits: of a request, or an event that is ready to be sent. */
type $Queued = $Call | { readonly type: string; readonly frame: string };

type $Listener = (value: never, meta: never) => void;

/** How long a server may tell a client to stay away, in milliseconds. */
const $maxAdvice = 300_000;

/** Codes after which a client stays away (of 4401, unless it can get a new token). */
const $final = [1000, 1003, 1007, 1008, 1009, 4403, 4409];

/** Lets go of a socket. */
function $abandon(socket: WebSocketLike | undefined): void {
  if (socket !== undefined) {
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }
}

/** The part of a client that does not depend on its messages. */
abstract class $Client<Events extends object, Meta extends { [K in keyof Events]: MessageMeta }> {
  readonly #url: string;
  readonly #options: ClientOptions;
  readonly #listeners = new Map<string, Set<$Listener>>();
  readonly #calls = new Map<string, $Call>();
  //#if default-envelope
  readonly #prefix = Math.random().toString(36).slice(2, 12) + "-";
  //#end
  #queue: $Queued[] = [];
  #state: State = "connecting";
  #error: unknown;
  #socket: WebSocketLike | undefined; // the one that counts; it has been open
  #next: WebSocketLike | undefined; // the one that is being opened, or waits to take over
  #old: WebSocketLike | undefined; // the one before, until the server has agreed that another took over
  #by = 0; // when the server goes away; 0: it has not said so
  #winding = false; // nothing new is sent, because another socket is about to take over
  #silent = false; // the program need not know that another socket took over
  #resuming = false; // the server is asked for the rooms
  #marked = false; // the server has come to the end of what was sent
  #held: unknown[] = []; // what the next socket has received before it takes over
  #attempt = 0; // counts attempts and ends, so that what is late notices
  #failures = 0;
  #renewed = false; // a refused token was replaced since the last stable connection
  #openedAt = 0;
  #lastId = 0;
  #received = 0; // frames
  #timer: ReturnType<typeof setTimeout> | undefined; // of the heartbeat
  #dialer: ReturnType<typeof setTimeout> | undefined; // of an attempt, the wait for it, or what a move waits for
  //#if history
  #session = "";
  readonly #rooms = new Map<string, { epoch: string; seq: number }>();
  //#end

  constructor(url: string | URL, options: ClientOptions) {
    const target = new URL(url, $global.location?.href);
    target.protocol = target.protocol.replace(/^http/, "ws");
    target.hash = "";
    this.#url = target.href;
    this.#options = options;
    $global.addEventListener?.("online", this.#online);
    void this.#connect();
  }

  /** What the client is doing. */
  get state(): State {
    return this.#state;
  }

  /** Why the client has stopped, or was disconnected last; undefined while it is connected. */
  get error(): unknown {
    return this.#error;
  }

  /** Resolves when the client is connected; rejects when it stops before that. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): boolean => {
        if (this.#state === "open") {
          resolve();
        } else if (this.#state === "closed") {
          reject(this.#stopped());
        }
        return this.#state === "open" || this.#state === "closed";
      };
      if (!look()) {
        const off = this.onState(() => {
          if (look()) {
            off();
          }
        });
      }
    });
  }

  /**
   * Calls a function for each message of a type, in the order of their arrival. What it returns ends that. A function that throws
   * keeps no other from being called.
   */
  on<K extends keyof Events & string>(type: K, listener: (message: Events[K], meta: Meta[K]) => void): () => void {
    return this.#listen("=" + type, listener);
  }

  /** Calls a function for the next message of a type. */
  once<K extends keyof Events & string>(type: K, listener: (message: Events[K], meta: Meta[K]) => void): () => void {
    const off = this.on(type, (message, meta) => {
      off();
      listener(message, meta);
    });
    return off;
  }

  /**
   * The messages of a type, for `for await`: those that come from its beginning on. The loop ends with the signal or the client. When
   * more than limit messages (1000) wait for it, it throws.
   */
  async *messages<K extends keyof Events & string>(type: K, options: { readonly signal?: AbortSignal; readonly limit?: number } = {}): AsyncGenerator<Events[K], void, void> {
    const waiting: Events[K][] = [];
    let wake = (): void => undefined;
    let lost = false;
    const stops = [
      this.on(type, (message) => {
        lost ||= waiting.length >= (options.limit ?? 1000);
        if (!lost) {
          waiting.push(message);
        }
        wake();
      }),
      this.onState(() => { wake(); }),
    ];
    const aborted = (): void => { wake(); };
    options.signal?.addEventListener("abort", aborted);
    try {
      for (;;) {
        const next = waiting.shift();
        if (next !== undefined) {
          yield next;
        } else if (lost) {
          throw new ConnectionError("overflow", `more than ${options.limit ?? 1000} messages ${type} waited for their loop`);
        } else if (options.signal?.aborted === true || this.#state === "closed") {
          return;
        } else {
          await new Promise<void>((resolve) => { wake = resolve; });
        }
      }
    } finally {
      stops.forEach((stop) => { stop(); });
      options.signal?.removeEventListener("abort", aborted);
    }
  }

  /** Calls a function when the state changes. */
  onState(listener: (state: State, error: unknown) => void): () => void {
    return this.#listen("state", listener);
  }

  /**
   * Calls a function for what has no caller to return it to: an ERROR of the server, a frame that cannot be read or was dropped,
   * a token that could not be had, a listener that threw. Without one, such errors go to the console.
   */
  onError(listener: (error: unknown) => void): () => void {
    return this.#listen("error", listener);
  }

  /** Calls a function for messages of types that the schema does not have, which a newer server may send. */
  onUnknown(listener: (type: string, frame: unknown) => void): () => void {
    return this.#listen("unknown", listener);
  }
  //#if history

  /**
   * Calls a function when the client has missed messages of a room for good, or is no member of it any more: what is shown of the room
   * has to be read again, or the room joined again.
   */
  onGap(listener: (gap: Gap) => void): () => void {
    return this.#listen("gap", listener);
  }
  //#end

  /** Shows the server a new token on the open connection, before the old one expires. */
  async refresh(token: string, options?: RequestOptions): Promise<void> {
    const auth: $Message = { type: "$ws:auth", payload: (value) => value, reply: "$ws:auth-ok" };
    await this.$call(auth, { token }, options);
  }

  /**
   * Stops the client for good: requests that wait are rejected, what is queued is dropped, the connection is closed with 1000.
   * It wins over everything that is under way, and may be called again.
   */
  close(): void {
    this.#stop(new ConnectionError("closed", "the client was closed"));
  }

  /** Sends an event: true when it is sent or queued, false when there was no room for it. */
  protected $send(message: $Message, payload: unknown, meta?: unknown): boolean {
    if (this.#state === "closed") {
      return false;
    }
    const frame = this.#frame(message, $body(message, payload, meta));
    if (this.#writable()) {
      this.#socket?.send(frame);
      return true;
    }
    return this.#enqueue({ type: message.type, frame });
  }

  /** Sends a request and waits for its answer. */
  protected $call(message: $Message, payload: unknown, options: RequestOptions<never> = {}, meta?: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      signal?.throwIfAborted();
      const body = $body(message, payload, meta);
      this.#frame(message, body);
      if (this.#state === "closed") {
        throw this.#stopped();
      }
      if (this.#calls.size >= (this.#options.pendingLimit ?? 1000)) {
        throw new ConnectionError("too-many-requests", `${this.#calls.size} requests wait for their answer`);
      }
      const abort = (): void => {
        this.#cancel(call, signal?.reason);
      };
      const call: $Call = {
        //#if default-envelope
        id: this.#prefix + (++this.#lastId).toString(36),
        //#end
        //#if envelope
        id: String(++this.#lastId), // as protocols with a form of their own have it
        //#end
        message, body, resolve, reject,
        timeoutMs: Math.min(Math.ceil(options.timeoutMs ?? message.timeoutMs ?? 30_000), 2 ** 31 - 1), // more than a timer takes is no limit
        onProgress: options.onProgress as ((value: unknown) => void) | undefined,
        stop: () => { signal?.removeEventListener("abort", abort); },
      };
      this.#calls.set(call.id, call);
      signal?.addEventListener("abort", abort);
      if (this.#writable()) {
        this.#sendCall(call);
      } else if (!this.#enqueue(call)) {
        this.#fail(call, "queue-full", "no room in the queue");
      }
    });
  }

  /** The frame of a body, within what its type may have. */
  #frame(message: $Message, body: $Body): string {
    const frame = $frame(message, body);
    const most = message.maxBytes ?? Infinity;
    const size = frame.length * 3 > most ? new TextEncoder().encode(frame).length : 0;
    if (size > most) {
      throw new InvalidMessageError(message.type, [{ path: "", message: `may have ${most} bytes, has ${size}` }]);
    }
    return frame;
  }

  /** Whether a frame would be sent: a socket that is closing takes frames and forgets them. */
  #writable(): boolean {
    return !this.#winding && this.#socket?.readyState === 1;
  }

  #enqueue(item: $Queued): boolean {
    const { size = 1000, policy = "drop-newest" } = this.#options.queue ?? {};
    if ((policy === "off" && !this.#winding) || (policy === "drop-newest" && this.#queue.length >= size)) {
      return false;
    }
    this.#queue.push(item);
    while (this.#queue.length > size) {
      this.#drop(this.#queue.shift());
    }
    return true;
  }

  #drop(item: $Queued | undefined): void {
    const text = "dropped from the queue for newer frames";
    if (item !== undefined && "id" in item) {
      this.#fail(item, "queue-full", text);
    } else if (item !== undefined) {
      this.#report(new ConnectionError("queue-full", text));
    }
  }

  #sendCall(call: $Call): void {
    const socket = this.#socket;
    call.socket = socket;
    const now = Date.now();
    if (call.due === undefined) { // one that is sent again has only the rest of its time
      call.due = now + call.timeoutMs;
      call.timer = setTimeout(() => {
        this.#cancel(call, new ServerError("DEADLINE_EXCEEDED", `no answer to ${call.message.type} within ${call.timeoutMs} ms`, { maybeApplied: true }));
      }, call.timeoutMs);
    }
    const meta: $Members = { correlationId: call.id };
    if (socket?.protocol === $v1) {
      meta["timeoutMs"] = Math.max(1, call.due - now);
    }
    socket?.send($frame(call.message, call.body, meta));
  }

  /** Ends a call that nobody waits for any more, and tells the server. */
  #cancel(call: $Call, error: unknown): void {
    if (call.socket !== undefined && call.socket === this.#socket && call.socket.readyState === 1 && call.socket.protocol === $v1) {
      call.socket.send($frame({ type: "$ws:abort", payload: undefined }, {}, { correlationId: call.id }));
    }
    this.#queue = this.#queue.filter((item) => item !== call);
    this.#finish(call, error);
  }

  #finish(call: $Call, error: unknown, value?: unknown): void {
    if (!this.#calls.delete(call.id)) {
      return;
    }
    clearTimeout(call.timer);
    call.stop();
    if (error === undefined) {
      call.resolve(value);
    } else {
      call.reject(error);
    }
    this.#wound();
  }

  /** Ends a call that has got no answer. */
  #fail(call: $Call, reason: ConnectionError["reason"], text: string, cause?: unknown): void {
    this.#finish(call, new ConnectionError(reason, text, { maybeApplied: call.due !== undefined, cause }));
  }

  #stopped(): ConnectionError {
    return this.#error instanceof ConnectionError ? this.#error : new ConnectionError("closed", "the client has stopped", { cause: this.#error });
  }

  #listen(name: string, listener: $Listener): () => void {
    const all = this.#listeners.get(name) ?? new Set();
    const own: $Listener = (value, meta) => { listener(value, meta); }; // the same function may be given twice
    this.#listeners.set(name, all.add(own));
    return () => { all.delete(own); };
  }

  /** Calls the listeners of a name, and reports whether there are any. */
  #emit(name: string, value: unknown, meta?: unknown): boolean {
    const current = this.#listeners.get(name);
    const all = [...(current ?? [])];
    for (const listener of all) {
      if (current?.has(listener) === false) {
        continue; // one before it has ended it
      }
      try {
        listener(value as never, meta as never);
      } catch (error) {
        if (name === "error") {
          console.error(error);
        } else {
          this.#report(error);
        }
      }
    }
    return all.length > 0;
  }

  #report(error: unknown): void {
    if (!this.#emit("error", error)) {
      console.error(error);
    }
  }

  #become(state: State, error?: unknown): void {
    this.#error = error;
    if (state !== this.#state) {
      this.#state = state;
      this.#emit("state", state, error);
    }
  }

  /** The network is back: there is no need to wait any longer. */
  readonly #online = (): void => {
    if (this.#state === "reconnecting" && this.#next === undefined) {
      void this.#connect();
    }
  };

  /** Makes one attempt to connect. */
  async #connect(): Promise<void> {
    clearTimeout(this.#dialer);
    const attempt = ++this.#attempt;
    const failed = (error: unknown): void => {
      if (attempt === this.#attempt) {
        this.#failed(error);
      }
    };
    this.#dialer = setTimeout(() => { failed(new CloseError(1006, "connecting took too long")); }, this.#options.connectTimeoutMs ?? 30_000);
    let token: string | undefined;
    try {
      const { token: source } = this.#options;
      token = typeof source === "function" ? await source() : source;
    } catch (error) {
      if (attempt === this.#attempt) {
        this.#report(error);
        failed(error);
      }
      return;
    }
    if (attempt !== this.#attempt) {
      return; // closed meanwhile, or too late
    }
    try {
      this.#open(token, failed);
    } catch (error) { // such as a token that a subprotocol cannot have: it would not be better next time
      this.#stop(error);
    }
  }

  #open(token: string | undefined, failed: (error: unknown) => void): void {
    const { WebSocket: Socket = $global.WebSocket, protocols = [], tokenPlacement } = this.#options;
    if (Socket === undefined) {
      throw new TypeError("there is no WebSocket here: pass one in the options, such as that of the package ws");
    }
    const url = new URL(this.#url);
    const offered = [$v1, ...protocols];
    if (token !== undefined && token !== "") {
      if (tokenPlacement === "query") {
        url.searchParams.set("access_token", token);
      } else if (/^[\w!#$%&'*+.^`|~-]+$/.test(token)) {
        offered.push(`bearer.${token}`);
      } else {
        throw new TypeError('the token has characters that a subprotocol cannot have: set tokenPlacement to "query"');
      }
    }
    const socket = new Socket(url.href, [...new Set(offered)]);
    this.#next = socket;
    socket.onopen = () => { this.#opened(); };
    socket.onmessage = (event: { data?: unknown }) => {
      if (socket === this.#next) {
        this.#held.push(event.data);
      } else {
        this.#receive(event.data);
      }
    };
    socket.onclose = (event: { code?: number; reason?: string }) => {
      const error = new CloseError(event.code ?? 1006, event.reason ?? "");
      if (socket === this.#socket) {
        this.#lost(error);
      } else {
        failed(error);
      }
    };
    socket.onerror = () => undefined; // a close follows
  }

  /** The next socket is open: it takes over, as soon as the one that is there has finished what it has begun. */
  #opened(): void {
    clearTimeout(this.#dialer);
    if (this.#socket?.readyState !== 1) {
      this.#takeOver();
      return;
    }
    this.#winding = true;
    this.#socket.send($heartbeat); // its answer says that the server has come to the end of what was sent
    this.#dialer = setTimeout(() => { this.#takeOver(); }, this.#by - Date.now());
  }

  /** Lets the next socket take over when nothing is waited for any more. */
  #wound(): void {
    if (this.#marked && ![...this.#calls.values()].some((call) => call.socket !== undefined)) {
      this.#takeOver();
    }
  }

  /** Makes the next socket the one that counts. Without a session to take along, it is a new beginning for the program. */
  #takeOver(): void {
    clearTimeout(this.#dialer);
    const old = this.#socket;
    const next = this.#next;
    const held = this.#held;
    this.#socket = next;
    this.#next = undefined;
    this.#unwind();
    this.#by = 0;
    this.#openedAt = Date.now();
    this.#beat(this.#received);
    //#if history
    this.#silent = next?.protocol === $v1 && this.#session !== "";
    this.#resuming = this.#silent && this.#rooms.size > 0;
    if (this.#resuming) { // before all that needs a membership
      const payload = { session: this.#session, rooms: Object.fromEntries(this.#rooms) };
      next?.send($frame({ type: "$ws:resume", payload: (value) => value }, { payload }));
    }
    //#end
    if (old !== undefined) {
      const error = new CloseError(1012, "the server goes away");
      old.onmessage = old.onclose = null; // what it still gets comes again
      this.#old = old;
      this.#interrupt(error);
      if (!this.#silent) {
        this.#become("reconnecting", error);
      }
    }
    if (this.#socket === next) {
      this.#flush();
      this.#become("open");
    }
    if (!this.#resuming) {
      this.#dismiss();
    }
    for (const data of held) {
      if (this.#socket === next) {
        this.#receive(data);
      }
    }
  }

  /** Closes the socket before this one. */
  #dismiss(): void {
    $abandon(this.#old);
    this.#old = undefined;
  }

  #unwind(): void {
    this.#winding = this.#marked = false;
    this.#held = [];
  }

  /** Sends what has waited. */
  #flush(): void {
    const waiting = this.#queue;
    this.#queue = [];
    for (const item of waiting) {
      if ("id" in item) {
        this.#sendCall(item);
      } else {
        this.#socket?.send(item.frame);
      }
    }
  }

  /** The server goes away: it is asked for another socket at a time that differs from client to client. */
  #goAway(payload: unknown): void {
    const { withinMs } = ($isObject(payload) ? payload : {}) as Record<string, never>;
    if (this.#by === 0 && this.#options.reconnect !== false) {
      const within = Math.min(Number(withinMs ?? 0), $maxAdvice);
      this.#by = Date.now() + within;
      this.#lasted();
      this.#dialer = setTimeout(() => { void this.#connect(); }, (Math.random() * within) / 2);
    }
  }

  /** Looks, after a while, whether anything has come; asks if not; gives the connection up when that is not answered. */
  #beat(seen: number, asked = false): void {
    clearTimeout(this.#timer);
    const { intervalMs = 25_000, timeoutMs = 10_000 } = this.#options.heartbeat ?? {};
    if (intervalMs <= 0) {
      return;
    }
    const wait = asked ? timeoutMs : intervalMs * (1 - Math.random() / 5); // so that many clients do not ask together
    this.#timer = setTimeout(() => {
      if (this.#received !== seen) {
        this.#beat(this.#received);
      } else if (asked) {
        this.#lost(new CloseError(1006, "the server did not answer a heartbeat"));
      } else {
        if (this.#writable()) {
          this.#socket?.send($heartbeat);
        }
        this.#beat(seen, true);
      }
    }, wait);
  }

  /** Forgets failures when the connection has lasted. */
  #lasted(): void {
    if (this.#openedAt > 0 && Date.now() - this.#openedAt >= (this.#options.backoff?.stableMs ?? 5000)) {
      this.#failures = 0;
      this.#renewed = false;
    }
  }

  /** Ends an attempt to get a socket. Who has another one goes on with it, and tries again. */
  #failed(error: unknown): void {
    if (this.#socket === undefined) {
      this.#lost(error);
      return;
    }
    clearTimeout(this.#dialer);
    this.#attempt++;
    $abandon(this.#next);
    this.#next = undefined;
    this.#unwind();
    const wait = this.#wait(error);
    if (wait !== undefined) {
      this.#dialer = setTimeout(() => { void this.#connect(); }, wait);
    }
    this.#flush();
  }

  /** Ends the connection, or the attempt to get one, and decides what follows. */
  #lost(error: unknown): void {
    this.#lasted();
    const wait = this.#wait(error);
    if (wait !== undefined && this.#winding) {
      this.#takeOver();
      return;
    }
    this.#release();
    if (wait === undefined || this.#options.reconnect === false) {
      this.#stop(error);
      return;
    }
    this.#dialer = setTimeout(() => { void this.#connect(); }, wait);
    this.#interrupt(error);
    this.#become("reconnecting", error);
  }

  /** Lets all sockets go. */
  #release(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#dialer);
    this.#attempt++;
    $abandon(this.#socket);
    $abandon(this.#next);
    this.#dismiss();
    this.#socket = this.#next = undefined;
    this.#openedAt = this.#by = 0;
    this.#unwind();
  }

  /** Ends the requests that were sent, but for those that may be sent again: they come first. */
  #interrupt(cause: unknown): void {
    const again: $Call[] = [];
    for (const call of [...this.#calls.values()]) {
      if (call.socket === undefined) {
        continue;
      }
      call.socket = undefined;
      if (call.message.idempotent === true && this.#options.queue?.policy !== "off") {
        again.push(call);
      } else {
        this.#fail(call, "disconnected", "the connection was lost before the answer", cause);
      }
    }
    this.#queue.unshift(...again);
  }

  /** How long to wait for the next attempt; undefined: for ever. */
  #wait(error: unknown): number | undefined {
    this.#failures++;
    const { baseMs = 300, maxMs = 10_000 } = this.#options.backoff ?? {};
    const full = Math.random() * Math.min(maxMs, baseMs * 2 ** Math.min(this.#failures - 1, 30));
    if (!(error instanceof CloseError)) {
      return full;
    }
    if (error.code === 4401) {
      if (this.#renewed || typeof this.#options.token !== "function") {
        return undefined;
      }
      this.#renewed = true;
    }
    if ($final.includes(error.code)) {
      return undefined;
    }
    const advice = /(?:^|[ ;,])retry=(\d{1,9})(?:$|[ ;,])/.exec(error.reason)?.[1];
    return advice !== undefined && (error.code === 1001 || error.code === 1012) ? Math.min(Number(advice), $maxAdvice) + full : full;
  }

  #stop(error: unknown): void {
    if (this.#state === "closed") {
      return;
    }
    this.#release();
    $global.removeEventListener?.("online", this.#online);
    this.#error = error;
    this.#queue = [];
    for (const call of [...this.#calls.values()]) {
      this.#fail(call, "closed", "the client has stopped", error);
    }
    this.#become("closed", error);
  }

  #receive(data: unknown): void {
    this.#received++;
    if (typeof data !== "string") {
      this.#stop(new CloseError(1003, "the server sent a binary frame"));
      return;
    }
    const frame = $parse(data);
    if (frame === undefined) {
      this.#report(new SyntaxError(`a frame cannot be read: ${data.slice(0, 100)}`));
      return;
    }
    try {
      if (!this.#answer(frame)) {
        this.#event(frame);
      }
    } catch (error) {
      this.#report(error);
    }
  }

  /** Gives a frame to the request that waits for it; false: there is none, or it is no answer. */
  #answer({ type, id, payload }: $Frame): boolean {
    const call = this.#calls.get(id);
    if (call?.socket === undefined || call.socket !== this.#socket) {
      return false;
    }
    const { message } = call;
    try {
      if (type === message.reply) {
        this.#finish(call, undefined, message.response && $convert(message.response, payload, type, false, $strictClient));
      } else if (type === "RPC_ERROR" || type === "ERROR") {
        this.#finish(call, $serverError(payload));
      } else if (type === "$ws:rpc-progress") {
        if (message.progress !== undefined && call.onProgress !== undefined) {
          this.#progress(call.onProgress, $convert(message.progress, payload, `${message.type} progress`, false, $strictClient));
        }
      } else {
        return false;
      }
    } catch (error) {
      if (type === "$ws:rpc-progress") {
        this.#report(error);
      } else {
        this.#finish(call, error);
      }
    }
    return true;
  }

  #progress(listener: (value: unknown) => void, value: unknown): void {
    try {
      listener(value);
    } catch (error) {
      this.#report(error);
    }
  }

  #event(frame: $Frame): void {
    const { type, meta, payload } = frame;
    const inbound = this.$inbound.get(type);
    if (inbound !== undefined) {
      //#if history
      if (!this.#advance(meta["room"], meta["seq"])) {
        return; // it came before
      }
      //#end
      const value = inbound.payload === undefined ? {} : $convert(inbound.payload, payload, type, false, $strictClient);
      const more = inbound.meta === undefined ? {} : ($convert(inbound.meta, meta, `${type}.meta`, false, false) as $Members);
      this.#emit("=" + type, value, { ...$metaOf(meta), ...more });
    } else if (type === "ERROR") {
      this.#report($serverError(payload));
    } else if (type === "$ws:goaway") {
      this.#goAway(payload);
    } else if (type === "__heartbeat_ack") {
      this.#marked = this.#winding;
      this.#wound();
      //#if history
    } else if (this.#control(type, meta, payload)) {
      return;
      //#end
    } else if (!/^(?:\$|__|RPC_ERROR$)/.test(type) && !this.$replies.has(type)) {
      this.#emit("unknown", type, frame.raw);
    }
  }
  //#if history

  /** Moves past a message of a room; false: it was there before. */
  #advance(room: unknown, seq: unknown): boolean {
    const position = this.#rooms.get(String(room));
    if (position === undefined || typeof seq !== "number") {
      return true;
    }
    const fresh = seq > position.seq;
    position.seq = Math.max(position.seq, seq);
    return fresh;
  }

  /** Handles what the server tells of where the client stands; false: the frame is something else. */
  #control(type: string, meta: $Members, payload: unknown): boolean {
    const room = String(meta["room"]);
    const { session, epoch, seq, first, reason, code, message } = ($isObject(payload) ? payload : {}) as Record<string, never>;
    switch (type) {
      case "$ws:session":
        // The first session of a connection that goes on with an older one is not for it: the answer follows.
        if (!this.#resuming) {
          this.#session = session ?? "";
          this.#dismiss();
        }
        this.#resuming = false;
        return true;
      case "$ws:joined":
      case "$ws:gap":
        this.#rooms.set(room, { epoch: epoch ?? "", seq: seq ?? 0 });
        if (type === "$ws:gap") {
          this.#missed({ room, member: true, reason: reason ?? "", first: first ?? 0, seq: seq ?? 0 });
        }
        return true;
      case "$ws:seq":
        this.#advance(room, meta["seq"]);
        return true;
      case "$ws:left":
        if (this.#rooms.delete(room) && code !== undefined) {
          this.#missed({ room, member: false, reason: message ?? "", first: 0, seq: 0 });
        }
        return true;
    }
    return false;
  }

  #missed(gap: Gap): void {
    if (!this.#emit("gap", gap)) {
      console.warn("messages of a room were missed", gap);
    }
  }
  //#end

  /** What the server sends, by type, and the types of its answers. */
  protected abstract readonly $inbound: ReadonlyMap<string, $Inbound>;
  protected abstract readonly $replies: ReadonlySet<string>;
}
