// The connection: one WebSocket that comes back by itself, and moves to another one when its server goes away.

/** The client that a connection belongs to, as the connection knows it. */
interface $Owner {
  /** Tells a socket that takes over what it has to know before all else; true: the program need not know of the change. */
  readonly greet?: (socket: WebSocketLike) => boolean;
  /** Sends what has waited. */
  readonly flush: () => void;
  /** Whether answers are waited for. */
  readonly waits: () => boolean;
  /** What was sent gets no answer any more. */
  readonly interrupted: (cause: unknown) => void;
  /** The state is another one; closed is the last. */
  readonly became: (state: State, error: unknown) => void;
  readonly received: (data: unknown) => void;
  readonly report: (error: unknown) => void;
}

/** How long a server may tell a client to stay away, in milliseconds. */
const $maxAdvice = 300_000;

/** The longest time that a timer takes, in milliseconds: 24 days. */
const $forever = 2 ** 31 - 1;

/** Calls a function after a time, which may be longer than a timer takes. */
function $after(ms: number, run: () => void): ReturnType<typeof setTimeout> {
  return setTimeout(run, Math.min(ms, $forever));
}

/** Codes after which a client stays away (of 4401, unless it can get a new token). */
const $final = [1000, 1003, 1007, 1008, 1009, 4403, 4409];

/** The address of a WebSocket. */
function $address(url: string | URL): URL {
  const base = $global.location?.href;
  if (base === undefined && String(url).startsWith("/")) {
    throw new TypeError(`${String(url)} is relative, and there is no page here: give an address such as wss://example.com/ws`);
  }
  const target = new URL(url, base);
  target.protocol = target.protocol.replace(/^http/, "ws");
  target.hash = "";
  return target;
}

/** Lets go of a socket. */
function $abandon(socket: WebSocketLike | undefined): void {
  if (socket !== undefined) {
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }
}

/** Its owner sends on it what it likes; all that has to do with sockets, and when there is another one, is decided here. */
class $Connection {
  state: State = "connecting";
  error: unknown; // why it has stopped, or was lost last
  socket: WebSocketLike | undefined; // the one that counts; it has been open
  winding = false; // nothing new is sent, because another socket is about to take over
  readonly #url: string | URL;
  readonly #options: ClientOptions;
  readonly #owner: $Owner;
  #next: WebSocketLike | undefined; // the one that is being opened, or waits to take over
  #old: WebSocketLike | undefined; // the one before, until the server has agreed that another took over
  #by = 0; // when the server goes away; 0: it has not said so
  #asked = 0; // heartbeats that are not answered
  #marked = false; // the server has come to the end of what was sent
  #held: unknown[] = []; // what the next socket has received before it takes over
  #started = false;
  #idle = false; // it waits for its next attempt
  #attempt = 0; // counts attempts and ends, so that what is late notices
  #failures = 0;
  #renewed = false; // a refused token was replaced since the last stable connection
  #openedAt = 0;
  #received = 0; // frames
  #timer: ReturnType<typeof setTimeout> | undefined; // of the heartbeat
  #dialer: ReturnType<typeof setTimeout> | undefined; // of an attempt, the wait for it, or what a move waits for

  constructor(url: string | URL, options: ClientOptions, owner: $Owner) {
    this.#url = url;
    this.#options = options;
    this.#owner = owner;
  }

  /** Makes the first attempt to connect, once. */
  start(): void {
    if (!this.#started && this.state !== "closed") {
      this.#started = true;
      $global.addEventListener?.("online", this.#online);
      void this.#connect();
    }
  }

  /** Whether a frame would be sent: a socket that is closing takes frames and forgets them. */
  writable(): boolean {
    return !this.winding && this.socket?.readyState === 1;
  }

  /** Whether the network does not take any more for now. */
  full(): boolean {
    return (this.socket?.bufferedAmount ?? 0) > (this.#options.maxBufferedBytes ?? 2 ** 24);
  }

  /** Sends a frame; false: there is no connection for it. */
  send(frame: string): boolean {
    const can = this.writable();
    if (can) {
      this.socket?.send(frame);
    }
    return can;
  }

  /** The server goes away: it is asked for another socket at a time that differs from client to client. */
  goAway(withinMs: number): void {
    if (this.#by === 0 && this.#options.reconnect !== false) {
      const within = Math.min(withinMs, $maxAdvice);
      this.#by = Date.now() + within;
      this.#lasted();
      this.#later((Math.random() * within) / 2);
    }
  }

  /** The server has answered a heartbeat: of the last one, it has come to the end of what was sent before a move. */
  answered(): void {
    this.#asked = Math.max(0, this.#asked - 1);
    this.#marked = this.winding && this.#asked === 0;
    this.wound();
  }

  /** Lets the next socket take over when nothing is waited for any more. */
  wound(): void {
    if (this.#marked && !this.#owner.waits()) {
      this.#takeOver();
    }
  }

  /** Closes the socket before this one. */
  dismiss(): void {
    $abandon(this.#old);
    this.#old = undefined;
  }

  /** Ends the connection for good. It wins over everything that is under way. */
  stop(error: unknown): void {
    if (this.state !== "closed") {
      this.#release();
      $global.removeEventListener?.("online", this.#online);
      this.#become("closed", error);
    }
  }

  #become(state: State, error?: unknown): void {
    this.error = error;
    if (state !== this.state) {
      this.state = state;
      this.#owner.became(state, error);
    }
  }

  /** The network is there again: there is no need to wait any longer. */
  readonly #online = (): void => {
    if (this.state === "reconnecting" && this.#idle) {
      void this.#connect();
    } else if (this.#ask()) {
      this.#beat(this.#received, true); // another network may have taken the connection with it
    }
  };

  /** Connects after a while. */
  #later(ms: number): void {
    this.#idle = true;
    this.#dialer = $after(ms, () => { void this.#connect(); });
  }

  /** Makes one attempt to connect. */
  async #connect(): Promise<void> {
    clearTimeout(this.#dialer);
    this.#idle = false;
    const attempt = ++this.#attempt;
    const failed = (error: unknown): void => {
      if (attempt === this.#attempt) {
        this.#failed(error);
      }
    };
    this.#dialer = $after(this.#options.connectTimeoutMs ?? 30_000, () => { failed(new CloseError(1006, "connecting took too long")); });
    const { token, WebSocket: Socket = $global.WebSocket } = this.#options;
    try {
      const given = typeof token === "function" ? await (async () => token())() : token; // what it throws is late, too
      if (attempt === this.#attempt) { // else closed meanwhile, or too late
        this.#open(Socket, given, failed);
      }
    } catch (error) {
      await Promise.resolve(); // the program has had time to listen
      if (attempt !== this.#attempt) {
        return;
      }
      if (typeof token === "function" && Socket !== undefined) {
        this.#owner.report(error);
        failed(error); // another token may be better
      } else {
        this.stop(error);
      }
    }
  }

  #open(Socket: ClientOptions["WebSocket"], token: string | undefined, failed: (error: unknown) => void): void {
    const { protocols = [], tokenPlacement } = this.#options;
    if (Socket === undefined) {
      throw new TypeError("there is no WebSocket here: pass one in the options, such as that of the package ws");
    }
    const url = $address(this.#url);
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
    let fault = "it could not be opened";
    this.#next = socket;
    socket.onopen = () => {
      fault = "";
      this.#opened();
    };
    socket.onmessage = (event: { data?: unknown }) => {
      if (socket === this.#next) {
        this.#held.push(event.data);
      } else {
        this.#take(event.data);
      }
    };
    socket.onclose = (event: { code?: number; reason?: string }) => {
      const error = new CloseError(event.code ?? 1006, event.reason || fault);
      if (socket === this.socket) {
        this.#lost(error);
      } else {
        failed(error);
      }
    };
    socket.onerror = (event: { message?: string }) => { fault = event.message || fault; }; // a close follows
  }

  /** The next socket is open: it takes over, as soon as the one that is there has finished what it has begun. */
  #opened(): void {
    clearTimeout(this.#dialer);
    if (this.socket?.readyState !== 1) {
      this.#takeOver();
      return;
    }
    this.winding = true;
    this.#ask(); // the answer says that the server has come to the end of what was sent
    this.#dialer = $after(this.#by - Date.now(), () => { this.#takeOver(); });
  }

  /**
   * Makes the next socket the one that counts; false: it is closing. Unless the owner can go on where it was, it is a new beginning for
   * the program.
   */
  #takeOver(): boolean {
    const old = this.socket;
    const next = this.#next;
    const held = this.#held;
    if (next?.readyState !== 1) {
      return false;
    }
    clearTimeout(this.#dialer);
    this.socket = next;
    this.#next = undefined;
    this.#by = 0;
    this.#asked = 0;
    this.#openedAt = Date.now();
    this.#beat(this.#received);
    const silent = this.#owner.greet?.(next) === true;
    if (old !== undefined) {
      const error = new CloseError(1012, "the server goes away");
      old.onmessage = old.onclose = null; // what it still gets comes again
      this.dismiss(); // of a move that was not over
      this.#old = old;
      this.#owner.interrupted(error);
      if (!silent) {
        this.#become("reconnecting", error);
      }
    }
    if (this.socket === next) {
      this.#unwind(); // what a listener has sent until now waits behind the rest
      this.#owner.flush();
      this.#become("open");
    }
    for (const data of held) {
      if (this.socket === next) {
        this.#take(data);
      }
    }
    return true;
  }

  #unwind(): void {
    this.winding = this.#marked = false;
    this.#held = [];
  }

  /** Sends a heartbeat, also while nothing else is sent; false: there is no connection. */
  #ask(): boolean {
    const can = this.socket?.readyState === 1;
    if (can) {
      this.#asked++;
      this.socket?.send($frame("__heartbeat", {}));
    }
    return can;
  }

  /** Looks, after a while, whether anything has come; asks if not; gives the connection up when that is not answered. */
  #beat(seen: number, asked = false): void {
    clearTimeout(this.#timer);
    const { intervalMs = 25_000, timeoutMs = 10_000 } = this.#options.heartbeat ?? {};
    if (intervalMs <= 0) {
      return;
    }
    const wait = asked ? timeoutMs : intervalMs * (1 - Math.random() / 5); // so that many clients do not ask together
    this.#timer = $after(wait, () => {
      if (this.#received !== seen) {
        this.#beat(this.#received);
      } else if (asked) {
        this.#lost(new CloseError(1006, "the server did not answer a heartbeat"));
      } else {
        this.#ask();
        this.#beat(seen, true);
      }
    });
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
    if (this.socket === undefined) {
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
      this.#later(wait);
    }
    this.#owner.flush();
  }

  /** Ends the connection, or the attempt to get one, and decides what follows. */
  #lost(error: unknown): void {
    this.#lasted();
    const wait = this.#wait(error);
    if (wait !== undefined && this.winding && this.#takeOver()) {
      return;
    }
    if (this.#failures === 1 && this.#openedAt === 0 && wait !== undefined && error instanceof CloseError) {
      this.#owner.report(error); // nothing has worked yet
    }
    this.#release();
    if (wait === undefined || this.#options.reconnect === false) {
      this.stop(error);
      return;
    }
    this.#later(wait);
    this.#owner.interrupted(error);
    this.#become("reconnecting", error);
  }

  /** Lets all sockets go. */
  #release(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#dialer);
    this.#attempt++;
    $abandon(this.socket);
    $abandon(this.#next);
    this.dismiss();
    this.socket = this.#next = undefined;
    this.#openedAt = this.#by = this.#asked = 0;
    this.#unwind();
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
    const advice = /\bretry=(\d{1,9})\b/.exec(error.reason)?.[1];
    return advice !== undefined && (error.code === 1001 || error.code === 1012) ? Math.min(Number(advice), $maxAdvice) + full : full;
  }

  #take(data: unknown): void {
    this.#received++;
    this.#owner.received(data);
  }
}
