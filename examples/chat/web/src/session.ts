import { type ChatMessage, type Client, ConnectionError, type Gap, isError, type RoomUpdate, ServerError } from "../../chat/client.gen.ts";
import type { Banner } from "./banner.ts";
import type { Composer } from "./composer.ts";
import { connectAs } from "./connection.ts";
import { byId } from "./dom.ts";
import type { Said } from "./line.ts";
import type { Log } from "./log.ts";
import { Outboxes } from "./outboxes.ts";
import type { Members } from "./presence.ts";
import type { Rooms } from "./rooms.ts";
import type { Title } from "./title.ts";
import type { Typists } from "./typing.ts";
import { ofEnd, ofError, ofGap, Refused } from "./words.ts";

/** The parts of the page. */
export interface View {
  readonly banner: Banner;
  readonly composer: Composer;
  readonly log: Log;
  readonly members: Members;
  readonly rooms: Rooms;
  readonly title: Title;
  readonly typists: Typists;
}

/** How many messages are read at a time, and how many at most where some were missed. */
const page = 100;
const most = 1000;

/** Somebody who is connected, and the room that they are in. */
export class Session {
  readonly user: string;
  readonly #view: View;
  readonly #client: Client;
  readonly #outboxes: Outboxes;
  #room = "";
  #entered = false; // the room is shown, and what was typed is sent
  #held: Said[] = []; // what came while the room was being read; a note has no id
  #reading = new AbortController();
  #refusal: unknown; // the server's last error while the room was being entered
  #rejoined = ""; // the key of a message for which the room was joined again
  #trouble: string | undefined;
  #offline = false;
  #ended: unknown;

  constructor(user: string, view: View) {
    this.user = user;
    this.#view = view;
    view.log.user = user;
    view.composer.enable(true);
    this.#outboxes = new Outboxes(
      user,
      (message) => this.#client.roomMessage(message),
      () => { view.log.markWaiting("not sent yet"); },
      () => { view.rooms.unsent(this.#outboxes.unsent()); },
    );
    this.#client = connectAs(user, (trouble) => {
      this.#trouble = trouble;
      this.#drawState();
    });
    this.#listen();
  }

  /** Whether messages wait that would be lost with the page. */
  get waits(): boolean {
    return this.#outboxes.waits;
  }

  /** Goes to a room. */
  goTo(room: string): void {
    this.#reading.abort();
    this.#outboxes.pause();
    this.#room = room;
    this.#entered = false;
    this.#held = [];
    const { log, members, rooms, title, typists } = this.#view;
    byId("room").textContent = room;
    byId("shard").textContent = "";
    rooms.enter(room);
    rooms.unsent(this.#outboxes.unsent());
    title.enter(room);
    members.clear();
    typists.clear();
    const open = this.#client.state === "open";
    log.clear(open ? "loading…" : this.#client.state === "connecting" ? "connecting…" : `${room} opens when you are connected.`);
    const { waiting, refused } = this.#outboxes.of(room).unsent;
    refused.forEach(({ text, key, why }) => { this.#showRefused(text, key, why); });
    waiting.forEach(({ text, key }) => { log.wait(text, key, "not sent yet"); });
    if (open) {
      void this.#enter();
    }
  }

  /** Says something in the room, now or as soon as that is possible. */
  say(text: string): void {
    const outbox = this.#outboxes.of(this.#room);
    const { key } = outbox.say(text);
    this.#view.log.wait(text, key, outbox.open && !this.#offline ? "sending…" : "not sent yet");
  }

  /** Tells the others that the reader types. */
  typing(): void {
    if (this.#entered && this.#client.state === "open") {
      this.#client.typing({ roomId: this.#room });
    }
  }

  /** The browser says whether there is a network. */
  network(there: boolean): void {
    this.#offline = !there;
    if (!there) {
      this.#view.log.markWaiting("not sent yet");
    }
    this.#drawState();
  }

  /** Reads what was said before that which is shown. */
  async older(): Promise<void> {
    const { log } = this.#view;
    const [room, before] = [this.#room, log.oldest?.id];
    if (before === undefined || !this.#entered) {
      return;
    }
    log.hasOlder(false); // until it is known
    try {
      const { messages } = await this.#client.getHistory({ roomId: room, limit: page, before }, { signal: this.#reading.signal });
      log.prepend(messages.map(ofHistory));
      log.hasOlder(messages.length === page);
    } catch (error) {
      if (room === this.#room) {
        log.hasOlder(true); // to be tried again
        console.warn(error);
      }
    }
  }

  /** Ends the connection for good. */
  close(): void {
    this.#reading.abort();
    this.#outboxes.pause();
    this.#ended ??= new ConnectionError("closed", "");
    this.#client.close();
  }

  #listen(): void {
    const [client, { members, typists }] = [this.#client, this.#view];
    const here = (topic: string): boolean => topic === `room:${this.#room}`;
    client.on("ROOM_UPDATE", (update, { timestamp }) => { this.#updated(update, timestamp ?? Date.now()); });
    client.on("TYPING", ({ roomId, userId, active }) => {
      if (roomId === this.#room && userId !== undefined) {
        if (active) {
          typists.typing(userId);
        } else {
          typists.stopped(userId);
        }
      }
    });
    client.on("$ws:presence", (presence) => {
      if (here(presence.topic)) {
        members.update(presence);
      }
    });
    client.onGap((gap) => {
      if (here(gap.room)) {
        this.#missed(gap);
      }
    });
    client.onState((state, error) => { this.#became(state, error); });
    client.onError((error) => { this.#failed(error); });
  }

  #became(state: Client["state"], error: unknown): void {
    const { composer, log, typists } = this.#view;
    if (state === "open") {
      if (this.#entered) {
        this.#client.joinRoom({ roomId: this.#room }); // a member already, where the server knows us
        this.#outboxes.of(this.#room).resume();
      } else if (this.#room !== "") {
        void this.#enter();
      }
    } else {
      this.#outboxes.pause();
      log.markWaiting("not sent yet");
      typists.clear();
    }
    if (state === "closed") {
      this.#ended ??= error;
      composer.enable(false);
    }
    this.#drawState();
  }

  #drawState(): void {
    const { banner } = this.#view;
    const { state } = this.#client;
    if (state === "closed") {
      banner.show(ofEnd(this.#ended), true);
    } else if (this.#offline) {
      banner.show("You are offline. What you write is sent when the network is back.");
    } else if (state === "reconnecting") {
      banner.show(`${this.#trouble ?? "Connection lost."} Trying again…`);
    } else {
      banner.show("");
    }
  }

  /** Joins the room and reads what was said. */
  async #enter(): Promise<void> {
    this.#reading.abort();
    const { signal } = (this.#reading = new AbortController());
    const room = this.#room;
    const outbox = this.#outboxes.of(room);
    this.#entered = false;
    this.#refusal = undefined;
    outbox.pause();
    try {
      this.#client.joinRoom({ roomId: room });
      const { messages, shard, more } = await this.#read(room, signal);
      this.#show(messages, shard, more);
      this.#entered = true;
      outbox.resume();
    } catch (error) {
      if (!signal.aborted) {
        this.#notEntered(error);
      }
    }
  }

  /** Reads the newest messages: some, or as far back as the log has some. */
  async #read(room: string, signal: AbortSignal): Promise<{ messages: ChatMessage[]; shard: number; more: boolean }> {
    const { log } = this.#view;
    let { messages: some, shard } = await this.#client.getHistory({ roomId: room, limit: page }, { signal });
    const all = [...some];
    while (!log.empty && some.length === page && all.length < most && !some.some((message) => log.has(ofHistory(message)))) {
      ({ messages: some, shard } = await this.#client.getHistory({ roomId: room, limit: page, before: some[0]?.id ?? 0 }, { signal }));
      all.unshift(...some);
    }
    return { messages: all, shard, more: some.length === page };
  }

  /** Shows what was read, and what has come meanwhile. */
  #show(messages: readonly ChatMessage[], shard: number, more: boolean): void {
    const { banner, log } = this.#view;
    byId("shard").textContent = `shard ${shard}`;
    if (log.empty) {
      log.hasOlder(more);
    }
    log.hint("");
    log.addQuietly(messages.map(ofHistory));
    messages.forEach(({ userId, key }) => { this.#confirm(this.#room, userId, key); });
    const held = this.#held;
    this.#held = [];
    held.forEach((said) => { this.#add(said); });
    if (log.empty) {
      log.hint("Nobody has said anything yet.");
    }
    banner.tell(`You are in ${this.#room}`);
  }

  #notEntered(error: unknown): void {
    if (this.#client.state !== "open") {
      return; // the next connection does it
    }
    if (error instanceof ConnectionError) {
      void this.#enter(); // another connection has taken over meanwhile
      return;
    }
    if (error instanceof ServerError && error.retryable) { // it has too much to do
      const reading = this.#reading;
      this.#view.log.hint("The server has too much to do. Trying again…");
      setTimeout(() => {
        if (reading === this.#reading) {
          void this.#enter();
        }
      }, Math.max(error.retryAfterMs, 1000));
      return;
    }
    const why = isError(error, "NOT_IN_ROOM") ? (this.#refusal ?? error) : error;
    this.#view.log.markWaiting("not sent yet");
    this.#view.log.hint(`You are not in ${this.#room}: ${ofError(why)}`, "Retry", () => {
      this.#view.log.hint("loading…");
      void this.#enter();
    });
  }

  /** Messages are missing, or the server does not know the reader any more. What is shown stays. */
  #missed(gap: Gap): void {
    if (this.#entered) {
      this.#view.log.note(`— ${ofGap(gap)} —`, "warn gap");
    }
    void this.#enter();
  }

  #updated({ roomId, userId, text, key, id }: RoomUpdate, at: number): void {
    this.#confirm(roomId, userId, key);
    if (roomId !== this.#room) {
      return;
    }
    const said: Said = { from: userId, text, at, key, id };
    if (this.#entered) {
      this.#add(said);
    } else {
      this.#held.push(said);
    }
  }

  #add(said: Said): void {
    const { log, title, typists } = this.#view;
    const mine = said.from === this.user;
    typists.stopped(said.from);
    if (said.id !== undefined) {
      log.hint("");
      log.add(said);
      if (!mine) {
        title.said();
      }
    } else if (!mine) { // nobody said it: somebody came or went
      log.note(said.text);
    }
  }

  #confirm(room: string, user: string, key: string | undefined): void {
    if (user === this.user && key !== undefined) {
      this.#outboxes.of(room).confirm(key);
    }
  }

  /** An error that belongs to no request. */
  #failed(error: unknown): void {
    if (error instanceof Refused) {
      this.#ended = error;
      this.#client.close();
    } else if (!(error instanceof ServerError)) {
      console.warn(error);
    } else if (this.#entered) {
      this.#refused(error);
    } else {
      this.#refusal = error;
    }
  }

  /** The server has not taken something. That is the message on its way, if there is one. */
  #refused(error: Pick<ServerError, "code" | "message" | "retryable" | "retryAfterMs">): void {
    const outbox = this.#outboxes.of(this.#room);
    const key = outbox.open ? outbox.first?.key : undefined;
    if (error.retryable) {
      outbox.retry(error.retryAfterMs || 1000);
    } else if (key === undefined) {
      this.#view.log.note(error.message, "warn");
    } else if (error.code === "FAILED_PRECONDITION" && this.#rejoined !== key) {
      this.#rejoined = key; // once: the server may not know that we are in the room
      void this.#enter();
    } else {
      const message = outbox.refuse(error.message);
      if (message !== undefined) {
        this.#showRefused(message.text, message.key, error.message);
      }
    }
  }

  #showRefused(text: string, key: string, why: string): void {
    const outbox = this.#outboxes.of(this.#room);
    this.#view.log.refuse(text, key, why, () => {
      this.#view.log.wait(text, key, "not sent yet");
      outbox.again(key);
    }, () => { outbox.confirm(key); });
  }
}

/** A message of the room's history. */
function ofHistory({ userId, text, sentAt, key, id }: ChatMessage): Said {
  return { from: userId, text, at: new Date(sentAt).getTime(), key, id };
}
