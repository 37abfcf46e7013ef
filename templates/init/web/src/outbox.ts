/** A message that its reader has to see once, whatever happens on the way. */
export interface Message {
  readonly text: string;
  readonly key: string;
}

/** What an outbox has of messages, when the page is loaded again. */
export interface Unsent {
  waiting: Message[];
  /** Messages that the server did not take, and why. */
  refused: (Message & { readonly why: string })[];
}

/** What an outbox does through others. */
export interface Post {
  readonly send: (message: Message) => void;
  /** The first message has waited for long. */
  readonly late: () => void;
  /** What is in the outbox has changed. */
  readonly changed: () => void;
}

/** How long a message may be on its way, in milliseconds, before it is sent again. */
const patience = 5000;

/**
 * What was typed in a room and has not come back from it yet. One message is on its way at a time; each is sent again when nobody
 * knows whether it arrived. Its key tells the server that it is the same one.
 */
export class Outbox {
  readonly unsent: Unsent;
  readonly #post: Post;
  readonly #id = Math.random().toString(36).slice(2, 12);
  #count = 0;
  #open = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(post: Post, unsent: Unsent) {
    this.#post = post;
    this.unsent = unsent;
  }

  /** Whether messages are sent at all. */
  get open(): boolean {
    return this.#open;
  }

  /** How many messages are not in the room. */
  get size(): number {
    return this.unsent.waiting.length + this.unsent.refused.length;
  }

  /** The message that may be on its way. */
  get first(): Message | undefined {
    return this.unsent.waiting[0];
  }

  /** Adds a message. */
  say(text: string): Message {
    const message = { text, key: `${this.#id}-${++this.#count}` };
    this.unsent.waiting.push(message);
    this.#post.changed();
    if (this.unsent.waiting.length === 1) {
      this.#next();
    }
    return message;
  }

  /** The room has a message. */
  confirm(key: string): void {
    const [before, first] = [this.size, this.first];
    this.#take(key);
    if (this.size !== before) {
      this.#post.changed();
    }
    if (this.first !== first) {
      this.#next();
    }
  }

  /** The server does not take the first message, and never will: the others are not to wait for it. */
  refuse(why: string): Message | undefined {
    const message = this.unsent.waiting.shift();
    if (message !== undefined) {
      this.unsent.refused.push({ ...message, why });
      this.#post.changed();
      this.#next();
    }
    return message;
  }

  /** Tries a message again that was refused. */
  again(key: string): void {
    const message = this.#take(key);
    if (message !== undefined) {
      this.unsent.waiting.push({ text: message.text, key });
      this.#post.changed();
      if (this.unsent.waiting.length === 1) {
        this.#next();
      }
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

  #take(key: string): Message | undefined {
    for (const list of [this.unsent.waiting, this.unsent.refused]) {
      const at = list.findIndex((message) => message.key === key);
      if (at >= 0) {
        return list.splice(at, 1)[0];
      }
    }
    return undefined;
  }

  #next(): void {
    clearTimeout(this.#timer);
    const message = this.first;
    if (!this.#open || message === undefined) {
      return;
    }
    this.#post.send(message);
    this.#timer = setTimeout(() => {
      this.#post.late();
      this.#next();
    }, patience);
  }
}
