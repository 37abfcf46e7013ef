/** A message that its reader has to see once, whatever happens on the way. */
export interface Message {
  readonly text: string;
  readonly key: string;
}

/**
 * What was typed and has not come back from the room yet. One message is on its way at a time; each is sent again when nobody
 * knows whether it arrived. Its key tells the server that it is the same one.
 */
export class Outbox {
  readonly waiting: Message[] = [];
  readonly #send: (message: Message) => boolean;
  readonly #id = Math.random().toString(36).slice(2, 12);
  #count = 0;
  #open = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (message: Message) => boolean) {
    this.#send = send;
  }

  /** Adds a message, and returns its key. */
  say(text: string): string {
    const message = { text, key: `${this.#id}-${++this.#count}` };
    this.waiting.push(message);
    if (this.waiting.length === 1) {
      this.#next();
    }
    return message.key;
  }

  /** The room has a message. */
  confirm(key: string | undefined): void {
    if (key !== undefined && key === this.waiting[0]?.key) {
      this.waiting.shift();
      this.#next();
    }
  }

  /** There is no use in sending. */
  pause(): void {
    this.#open = false;
    clearTimeout(this.#timer);
  }

  resume(): void {
    this.#open = true;
    this.#next();
  }

  /** The server wants us to wait. */
  retry(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { this.#next(); }, Math.max(ms, 50));
  }

  #next(): void {
    clearTimeout(this.#timer);
    const message = this.waiting[0];
    if (this.#open && message !== undefined) {
      this.#send(message);
      this.retry(5000);
    }
  }
}
