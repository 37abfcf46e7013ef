import { button, byId } from "./dom.ts";
import { dayOf, drawMessage, drawNote, type Said, setMark, setRefused, setTime } from "./line.ts";
import { Scroller } from "./scroller.ts";

/** How many lines stay; twice as many while the reader is not at the end. */
const kept = 2000;

/**
 * The messages on the screen: what the room has, in its order, and behind that what it has not got yet. Many that come together are
 * drawn together.
 */
export class Log {
  user = ""; // whose messages are those that wait
  readonly #live = byId("live");
  readonly #list = byId("lines");
  readonly #hint = byId("hint");
  readonly #older = byId<HTMLButtonElement>("older");
  readonly #scroller = new Scroller();
  readonly #shown = new Map<string, HTMLElement>(); // by what tells messages apart
  readonly #waiting = new Map<string, HTMLElement>(); // lines that the room has not got, by key
  readonly #said = new WeakMap<Node, Said>();
  #fresh: HTMLElement[] = []; // lines that are not drawn, or have to go behind others
  #day = "";
  #noise: ReturnType<typeof setTimeout> | undefined;

  /** Older is called when the reader wants to see what was said before. */
  constructor(older: () => void) {
    this.#older.onclick = older;
  }

  /** Shows nothing but a hint, with something that the reader can do. */
  clear(hint: string): void {
    this.#fresh = [];
    this.#shown.clear();
    this.#waiting.clear();
    this.#day = "";
    this.#list.replaceChildren();
    this.#scroller.toEnd();
    this.hasOlder(false);
    this.hint(hint);
  }

  hint(text: string, label?: string, action?: () => void): void {
    this.#hint.replaceChildren(text, ...(label !== undefined && action !== undefined ? [" ", button(label, action)] : []));
    this.#hint.hidden = text === "";
  }

  /** Says whether the room has messages before those that are shown. */
  hasOlder(has: boolean): void {
    this.#older.hidden = !has;
  }

  /** Whether nothing that the room has is shown. */
  get empty(): boolean {
    return this.#shown.size === 0;
  }

  /** The first message that the room has. */
  get oldest(): Said | undefined {
    for (const line of this.#list.children) {
      const said = this.#said.get(line);
      if (said?.id !== undefined) {
        return said;
      }
    }
    return undefined;
  }

  /** Whether a message is shown. */
  has(said: Said): boolean {
    return this.#shown.has(nameOf(said));
  }

  /** Adds a message of the room, unless it is shown. The line of one that has waited stays what it is. */
  add(said: Said): void {
    if (this.has(said)) {
      return;
    }
    const waits = said.from === this.user && said.key !== undefined ? this.#waiting.get(said.key) : undefined;
    const line = waits ?? drawMessage(said, said.from === this.user);
    if (waits !== undefined) {
      this.#waiting.delete(said.key ?? "");
      setMark(line, "");
      setTime(line, said.at);
    }
    if (dayOf(said.at) !== this.#day) {
      this.#day = dayOf(said.at);
      this.#append(drawNote(this.#day, "day"));
    }
    this.#know(line, said);
    this.#append(line);
  }

  /** Adds messages of the room that were said before the reader came; they are not read out. */
  addQuietly(messages: readonly Said[]): void {
    this.#quietly(() => {
      messages.forEach((said) => { this.add(said); });
      this.#draw();
    });
  }

  /** Adds messages before all others. */
  prepend(messages: readonly Said[]): void {
    const lines: HTMLElement[] = [];
    let day = "";
    for (const said of messages.filter((one) => !this.has(one))) {
      if (dayOf(said.at) !== day) {
        day = dayOf(said.at);
        lines.push(drawNote(day, "day"));
      }
      const line = drawMessage(said, said.from === this.user);
      this.#know(line, said);
      lines.push(line);
    }
    this.#quietly(() => {
      this.#scroller.keepPlace(() => {
        const first = this.#list.firstElementChild;
        if (first?.classList.contains("day") === true && first.textContent === day) {
          first.remove();
        }
        this.#list.prepend(...lines);
      });
    });
  }

  /** Adds a message that the room has not got. */
  wait(text: string, key: string, mark: string): void {
    const line = drawMessage({ from: this.user, text, at: Date.now() }, true);
    setMark(line, mark);
    this.#putLast(key, line);
  }

  /** Says of all that wait what has become of them. */
  markWaiting(text: string): void {
    this.#waiting.forEach((line) => { setMark(line, text); });
  }

  /** Adds a message that the server has not taken, or says so of one that has waited. Again and discard are the reader's choice. */
  refuse(text: string, key: string, why: string, again: () => void, discard: () => void): void {
    const line = this.#waiting.get(key) ?? drawMessage({ from: this.user, text, at: Date.now() }, true);
    this.#waiting.delete(key);
    const end = (then: () => void) => (): void => {
      line.remove();
      then();
    };
    setRefused(line, why, end(again), end(discard));
    this.#append(line);
  }

  /** Adds a line of the page's own. */
  note(text: string, kind = ""): void {
    this.#append(drawNote(text, kind));
  }

  #know(line: HTMLElement, said: Said): void {
    this.#shown.set(nameOf(said), line);
    this.#said.set(line, said);
  }

  #putLast(key: string, line: HTMLElement): void {
    this.#waiting.set(key, line);
    this.#list.append(line);
    this.#scroller.toEnd();
  }

  #append(line: HTMLElement): void {
    if (this.#fresh.push(line) === 1) {
      requestAnimationFrame(() => { this.#draw(); });
    }
    if (this.#fresh.length > kept) { // nobody looks: a page in the background is not drawn
      this.#forget(this.#fresh.shift());
    }
  }

  #forget(line: Node | null | undefined): void {
    const said = line && this.#said.get(line);
    if (said) {
      this.#shown.delete(nameOf(said));
      this.hasOlder(true);
    }
  }

  /** Puts the fresh lines before those that wait. From the last to the first, so that lines which are in their place stay untouched. */
  #draw(): void {
    let next: Node | null = this.#waiting.values().next().value ?? null;
    let messages = 0;
    for (const line of this.#fresh.reverse()) {
      if (line.parentNode !== this.#list || line.nextSibling !== next) {
        this.#list.insertBefore(line, next);
      }
      messages += Number(line.classList.contains("message"));
      next = line;
    }
    this.#fresh = [];
    this.#trim();
    this.#scroller.grew(messages);
  }

  #trim(): void {
    const excess = this.#list.children.length - this.#waiting.size - (this.#scroller.following ? kept : 2 * kept);
    if (excess > 0) {
      this.#scroller.keepPlace(() => {
        for (let i = 0; i < excess; i++) {
          const first = this.#list.firstChild;
          this.#forget(first);
          first?.remove();
        }
      });
    }
  }

  /** Changes the list without its being read out. */
  #quietly(change: () => void): void {
    this.#live.ariaBusy = "true";
    this.#live.ariaLive = "off";
    change();
    clearTimeout(this.#noise);
    this.#noise = setTimeout(() => {
      this.#live.ariaBusy = "false";
      this.#live.ariaLive = "polite";
    }, 1000);
  }
}

/** What tells messages apart. A room that has lost some gives their ids to others. */
function nameOf({ from, text, id, key }: Said): string {
  return key === undefined ? `${id} ${from}\n${text}` : `${from}\n${key}`;
}
