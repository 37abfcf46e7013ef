import { type Message, Outbox, type Unsent } from "./outbox.ts";
import { recallJSON, remember } from "./storage.ts";

/** The outboxes of somebody: what was typed in a room stays with it, also when the page is loaded again. */
export class Outboxes {
  readonly #all = new Map<string, Outbox>();
  readonly #place: string;
  readonly #send: (message: Message) => void;
  readonly #late: () => void;
  readonly #changed: () => void;

  /** Send is called for one room's messages at a time: for that whose outbox is resumed. */
  constructor(user: string, send: (message: Message) => void, late: () => void, changed: () => void) {
    this.#place = `unsent:${user}`;
    this.#send = send;
    this.#late = late;
    this.#changed = changed;
    for (const [room, unsent] of Object.entries(recallJSON<Record<string, Unsent>>(this.#place, {}))) {
      this.#make(room, unsent);
    }
  }

  of(room: string): Outbox {
    return this.#all.get(room) ?? this.#make(room, { waiting: [], refused: [] });
  }

  /** How many messages each room has not got; those that have got all are left out. */
  unsent(): Map<string, number> {
    return new Map([...this.#all].filter(([, { size }]) => size > 0).map(([room, { size }]) => [room, size]));
  }

  /** Whether any message is yet to be sent. */
  get waits(): boolean {
    return [...this.#all.values()].some(({ first }) => first !== undefined);
  }

  pause(): void {
    this.#all.forEach((outbox) => { outbox.pause(); });
  }

  #make(room: string, unsent: Unsent): Outbox {
    const changed = (): void => {
      const full = [...this.#all].filter(([, { size }]) => size > 0);
      remember(this.#place, JSON.stringify(Object.fromEntries(full.map(([name, outbox]) => [name, outbox.unsent]))));
      this.#changed();
    };
    const outbox = new Outbox({ send: this.#send, late: this.#late, changed }, unsent);
    this.#all.set(room, outbox);
    return outbox;
  }
}
