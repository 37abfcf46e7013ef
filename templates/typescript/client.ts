// The client: what is sent, a queue while there is no connection, requests and their answers, and what the server sends.

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

/** The part of a client that does not depend on its messages. */
abstract class $Client<Events extends object, Meta extends { [K in keyof Events]: MessageMeta }> {
  readonly #options: ClientOptions;
  readonly #connection: $Connection;
  readonly #listeners = new $Listeners();
  readonly #calls = new Map<string, $Call>();
  #queue: $Queued[] = [];
  //#if default-envelope
  readonly #prefix = Math.random().toString(36).slice(2, 12) + "-";
  //#end
  #lastId = 0;
  //#if history
  readonly #rooms = new $Rooms((gap) => { this.#missed(gap); }, () => { this.#connection.dismiss(); });
  //#end

  constructor(url: string | URL, options: ClientOptions) {
    this.#options = options;
    this.#connection = new $Connection(url, options, {
      //#if history
      greet: (socket) => this.#rooms.greet(socket),
      //#end
      flush: () => { this.#flush(); },
      waits: () => [...this.#calls.values()].some((call) => call.socket !== undefined),
      interrupted: (cause) => { this.#interrupt(cause); },
      became: (state, error) => { this.#became(state, error); },
      received: (data) => { this.#receive(data); },
      report: this.#listeners.report,
    });
    if (options.autoConnect !== false) {
      this.connect();
    }
  }

  /** Connects for the first time, where autoConnect is false; else it has been done. */
  connect(): void {
    this.#connection.start();
  }

  /** What the client is doing. */
  get state(): State {
    return this.#connection.state;
  }

  /** Why the client has stopped, or was disconnected last; undefined while it is connected. */
  get error(): unknown {
    return this.#connection.error;
  }

  /** Resolves when the client is connected; rejects when it stops before that. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.state === "open") {
          resolve();
        } else if (this.state === "closed") {
          reject(this.#stopped());
        } else {
          return;
        }
        off();
      };
      const off = this.onState(look);
      look();
    });
  }

  /**
   * Calls a function for each message of a type, in the order of their arrival. What it returns ends that. A function that throws
   * keeps no other from being called.
   */
  on<K extends keyof Events & string>(type: K, listener: (message: Events[K], meta: Meta[K]) => unknown): () => void {
    return this.#listeners.add("=" + type, (message, meta) => (this.state === "closed" ? undefined : listener(message, meta)));
  }

  /** Calls a function for the next message of a type. */
  once<K extends keyof Events & string>(type: K, listener: (message: Events[K], meta: Meta[K]) => unknown): () => void {
    const off = this.on(type, (message, meta) => {
      off();
      return listener(message, meta);
    });
    return off;
  }

  /**
   * The messages of a type, for `for await`: those that come from this call on. The loop ends at once with the signal or a break, and with
   * the client when it has read what came before. When more than limit messages (1000) wait for it, it throws.
   */
  messages<K extends keyof Events & string>(
    type: K,
    options: { readonly signal?: AbortSignal | undefined; readonly limit?: number | undefined } = {},
  ): AsyncIterableIterator<Events[K], undefined> {
    return $iterate<Events[K]>(type, options, (take, end) => {
      const closed = (): void => {
        if (this.state === "closed") {
          end();
        }
      };
      const stops = [this.on(type, take), this.onState(closed)];
      closed();
      return () => { stops.forEach((stop) => { stop(); }); };
    });
  }

  /** Calls a function when the state changes. */
  onState(listener: (state: State, error: unknown) => unknown): () => void {
    return this.#listeners.add("state", (state, error) => (state === this.state ? listener(state, error) : undefined)); // else it is no news any more
  }

  /**
   * Calls a function for what has no caller to return it to: an ERROR of the server, a frame that cannot be read or was dropped,
   * a token that could not be had, a listener that threw, a first attempt to connect that failed, and why the client has stopped when it
   * was not asked to. Without one, such errors go to the console.
   */
  onError(listener: (error: unknown) => unknown): () => void {
    return this.#listeners.add("error", listener);
  }

  /** Calls a function for messages of types that the schema does not have, which a newer server may send. */
  onUnknown(listener: (type: string, frame: unknown) => unknown): () => void {
    return this.#listeners.add("unknown", listener);
  }
  //#if history

  /**
   * Calls a function when the client has missed messages of a room for good, or is no member of it any more: what is shown of the room
   * has to be read again, or the room joined again.
   */
  onGap(listener: (gap: Gap) => unknown): () => void {
    return this.#listeners.add("gap", listener);
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
    this.#connection.stop(new ConnectionError("closed", "the client was closed"));
  }

  /** Sends an event: true when it is sent or queued, false when there was no room for it. */
  protected $send(message: $Message, payload: unknown, meta?: unknown): boolean {
    if (this.state === "closed") {
      return false;
    }
    const frame = this.#frame(message, $body(message, payload, meta));
    return !this.#connection.full() && (this.#connection.send(frame) || this.#enqueue({ type: message.type, frame }));
  }

  /** Sends a request and waits for its answer. */
  protected $call(message: $Message, payload: unknown, options: Omit<RequestOptions, "onProgress"> & { readonly onProgress?: ((value: never) => void) | undefined } = {}, meta?: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      signal?.throwIfAborted();
      const body = $body(message, payload, meta);
      if (this.state === "closed") {
        throw this.#stopped();
      }
      if (this.#calls.size >= (this.#options.pendingLimit ?? 1000)) {
        throw new ConnectionError("too-many-requests", `${this.#calls.size} requests wait for their answer`);
      }
      const abort = (): void => {
        this.#cancel(call, signal?.reason ?? Object.assign(new Error("the request was aborted"), { name: "AbortError" }));
      };
      const call: $Call = {
        //#if default-envelope
        id: this.#prefix + (++this.#lastId).toString(36),
        //#end
        //#if envelope
        id: String(++this.#lastId), // as protocols with a form of their own have it
        //#end
        message, body, resolve, reject,
        timeoutMs: Math.min(Math.ceil(options.timeoutMs ?? message.timeoutMs ?? 30_000), $forever),
        onProgress: options.onProgress as ((value: unknown) => void) | undefined,
        stop: () => { signal?.removeEventListener("abort", abort); },
      };
      this.#frame(message, body, this.#meta(call, call.timeoutMs));
      this.#calls.set(call.id, call);
      signal?.addEventListener("abort", abort);
      if (!this.#connection.full() && this.#connection.writable()) {
        this.#sendCall(call);
      } else if (this.#connection.full() || !this.#enqueue(call)) {
        this.#fail(call, "queue-full", "no room in the queue");
      }
    });
  }

  /** The frame of a body, within what its type may have. */
  #frame(message: $Message, body: $Body, meta?: $Members): string {
    const frame = $frame(message.type, body, meta);
    const most = message.maxBytes ?? Infinity;
    const size = frame.length * 3 > most ? new TextEncoder().encode(frame).length : 0;
    if (size > most) {
      throw new InvalidMessageError(message.type, [{ path: "", message: `may have ${most} bytes, has ${size}` }]);
    }
    return frame;
  }

  #enqueue(item: $Queued): boolean {
    const { size = 1000, policy = "drop-newest" } = this.#options.queue ?? {};
    if ((policy === "off" && !this.#connection.winding) || (policy === "drop-newest" && this.#queue.length >= size)) {
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
      this.#listeners.report(new ConnectionError("queue-full", text));
    }
  }

  #sendCall(call: $Call): void {
    const socket = this.#connection.socket;
    call.socket = socket;
    const now = Date.now();
    if (call.due === undefined) { // one that is sent again has only the rest of its time
      call.due = now + call.timeoutMs;
      call.timer = $after(call.timeoutMs, () => {
        this.#cancel(call, new ServerError("DEADLINE_EXCEEDED", `no answer to ${call.message.type} within ${call.timeoutMs} ms`, { maybeApplied: true }));
      });
    }
    socket?.send($frame(call.message.type, call.body, this.#meta(call, Math.max(1, call.due - now))));
  }

  #meta(call: $Call, timeoutMs: number): $Members {
    const { protocol = $v1 } = this.#connection.socket ?? {};
    return { correlationId: call.id, ...(protocol === $v1 ? { timeoutMs } : {}) };
  }

  /** Ends a call that nobody waits for any more, and tells the server. */
  #cancel(call: $Call, error: unknown): void {
    const { socket } = call;
    if (socket?.readyState === 1 && socket.protocol === $v1) {
      socket.send($frame("$ws:abort", {}, { correlationId: call.id }));
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
    this.#connection.wound();
  }

  /** Ends a call that has got no answer. */
  #fail(call: $Call, reason: ConnectionError["reason"], text: string, cause?: unknown): void {
    this.#finish(call, new ConnectionError(reason, text, { maybeApplied: call.due !== undefined, cause }));
  }

  #stopped(): ConnectionError {
    return this.error instanceof ConnectionError ? this.error : new ConnectionError("closed", "the client has stopped", { cause: this.error });
  }

  /** Sends what has waited. */
  #flush(): void {
    while (this.#connection.writable()) {
      const item = this.#queue.shift();
      if (item === undefined) {
        break;
      }
      if ("id" in item) {
        this.#sendCall(item);
      } else {
        this.#connection.send(item.frame);
      }
    }
    //#if history
    if (this.#rooms.resuming) {
      return; // the server is still asked for what the socket before has
    }
    //#end
    this.#connection.dismiss();
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

  #became(state: State, error: unknown): void {
    if (state === "closed") {
      this.#queue = [];
      for (const call of [...this.#calls.values()]) {
        this.#fail(call, "closed", this.#stopped().message, error);
      }
      if (!(error instanceof ConnectionError) && (error as CloseError).code !== 1000) {
        this.#listeners.report(error);
      }
    }
    this.#listeners.call("state", state, error);
  }

  #receive(data: unknown): void {
    if (typeof data !== "string") {
      this.#connection.stop(new CloseError(1003, "the server sent a binary frame"));
      return;
    }
    const frame = $parse(data);
    if (frame === undefined) {
      this.#listeners.report(new SyntaxError(`a frame cannot be read: ${data.slice(0, 100)}`));
      return;
    }
    try {
      if (!this.#answer(frame)) {
        this.#event(frame);
      }
    } catch (error) {
      this.#listeners.report(error);
    }
  }

  /** Gives a frame to the request that waits for it; false: there is none, or it is no answer. */
  #answer({ type, id, payload }: $Frame): boolean {
    const call = this.#calls.get(id);
    if (call?.socket === undefined || call.socket !== this.#connection.socket) {
      return false;
    }
    const { message } = call;
    try {
      if (type === message.reply) {
        this.#finish(call, undefined, message.response && $convert(message.response, payload, type, false, $strictClient));
      } else if (type === "RPC_ERROR" || type === "ERROR") {
        this.#finish(call, $serverError(payload));
      } else if (type === "$ws:rpc-progress") {
        if (message.progress !== undefined) {
          call.onProgress?.($convert(message.progress, payload, `${message.type} progress`, false, $strictClient));
        }
      } else {
        return false;
      }
    } catch (error) {
      if (type === "$ws:rpc-progress") {
        this.#listeners.report(error);
      } else {
        this.#finish(call, error);
      }
    }
    return true;
  }

  #event(frame: $Frame): void {
    const { type, id, meta, payload } = frame;
    const inbound = this.$inbound.get(type);
    if (id !== "" && this.$replies.has(type)) {
      return; // an answer that comes too late
    }
    if (inbound !== undefined) {
      //#if history
      if (!this.#rooms.advance(meta["room"], meta["seq"])) {
        return; // it came before
      }
      //#end
      const value = inbound.payload === undefined ? {} : $convert(inbound.payload, payload, type, false, $strictClient);
      const more = inbound.meta === undefined ? {} : ($convert(inbound.meta, meta, `${type}.meta`, false, false) as $Members);
      this.#listeners.call("=" + type, value, { ...$metaOf(meta), ...more });
    } else if (type === "ERROR") {
      this.#listeners.report($serverError(payload));
    } else if (type === "$ws:goaway") {
      this.#connection.goAway(Number($fields(payload)["withinMs"] ?? 0));
    } else if (type === "__heartbeat_ack") {
      this.#connection.answered();
      //#if history
    } else if (this.#rooms.control(frame)) {
      return;
      //#end
    } else if (!/^(?:\$|__|RPC_ERROR$)/.test(type) && !this.$replies.has(type)) {
      this.#listeners.call("unknown", type, frame.raw);
    }
  }
  //#if history

  #missed(gap: Gap): void {
    if (!this.#listeners.call("gap", gap)) {
      console.warn("messages of a room were missed", gap);
    }
  }
  //#end

  /** What the server sends, by type, and the types of its answers. */
  protected abstract readonly $inbound: ReadonlyMap<string, $Inbound>;
  protected abstract readonly $replies: ReadonlySet<string>;
}
