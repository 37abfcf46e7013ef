// Where a client stands in its rooms, so that another connection can go on from there.
//#if history

class $Rooms {
  resuming = false; // the server has been asked for the rooms, and has not answered
  readonly #missed: (gap: Gap) => void;
  readonly #resumed: () => void;
  #session = "";
  readonly #positions = new Map<string, { epoch: string; seq: number }>();

  constructor(missed: (gap: Gap) => void, resumed: () => void) {
    this.#missed = missed;
    this.#resumed = resumed;
  }

  /** Asks a new connection for the rooms, before all that needs a membership; false: there is nothing to go on from. */
  greet(socket: WebSocketLike): boolean {
    const known = socket.protocol === $v1 && this.#session !== "";
    this.resuming = known && this.#positions.size > 0;
    if (this.resuming) {
      const payload = { session: this.#session, rooms: Object.fromEntries(this.#positions) };
      socket.send($frame("$ws:resume", { payload }));
    }
    return known;
  }

  /** Moves past a message of a room; false: it was there before. */
  advance(room: unknown, seq: unknown): boolean {
    const position = this.#positions.get(String(room));
    if (position === undefined || typeof seq !== "number") {
      return true;
    }
    const fresh = seq > position.seq;
    position.seq = Math.max(position.seq, seq);
    return fresh;
  }

  /** Handles what the server tells of where the client stands; false: the frame is something else. */
  control({ type, meta, payload }: $Frame): boolean {
    const room = String(meta["room"]);
    const { session, epoch, seq, first, reason, code, message } = $fields(payload);
    switch (type) {
      case "$ws:session":
        // The first session of a connection that goes on with an older one is not for it: the answer follows.
        if (!this.resuming) {
          this.#session = session ?? "";
          this.#resumed();
        }
        this.resuming = false;
        return true;
      case "$ws:joined":
      case "$ws:gap":
        this.#positions.set(room, { epoch: epoch ?? "", seq: seq ?? 0 });
        if (type === "$ws:gap") {
          this.#missed({ room, member: true, reason: reason ?? "", first: first ?? 0, seq: seq ?? 0 });
        }
        return true;
      case "$ws:seq":
        this.advance(room, meta["seq"]);
        return true;
      case "$ws:left":
        if (this.#positions.delete(room) && code !== undefined) {
          this.#missed({ room, member: false, reason: message ?? "", first: 0, seq: 0 });
        }
        return true;
    }
    return false;
  }
}
//#end
