/** What the log shows of a message. */
export interface Line {
  readonly text: string;
  readonly from: string;
  readonly mine: boolean;
  readonly key?: string;
}

/** How many lines stay. */
const kept = 2000;

/** The messages on the screen. Many that come together are drawn together. */
export class Log {
  readonly #box: HTMLElement; // scrolls
  readonly #list: Element;
  readonly #waiting = new Map<string, HTMLElement>(); // lines that the room has not confirmed, by key
  #fresh: HTMLElement[] = [];

  constructor(box: HTMLElement) {
    this.#box = box;
    this.#list = box.children[0] as Element;
  }

  /** Adds a message. One that waits for the room's word stands at its end, until that comes. */
  add(text: string, from: string, mine: boolean, key?: string, waits = false): void {
    if (text === `${from} joined` || text === `${from} left`) {
      this.note(text);
      return;
    }
    if (key !== undefined && mine) {
      const before = this.#waiting.get(key);
      before?.remove();
      this.#waiting.delete(key);
      this.#fresh = this.#fresh.filter((line) => line !== before);
    }
    const line = draw({ text, from, mine });
    if (waits && key !== undefined) {
      line.classList.add("waits");
      this.#waiting.set(key, line);
    }
    this.#append(line);
  }

  /** Adds a line of the page's own. */
  note(text: string, kind = ""): void {
    const line = document.createElement("li");
    line.className = `note ${kind}`;
    line.textContent = text;
    this.#append(line);
  }

  /** Shows these messages and no others. */
  replace(lines: readonly Line[]): void {
    this.#fresh = [];
    this.#waiting.clear();
    this.#list.replaceChildren(...lines.map(draw));
    this.#box.scrollTop = this.#box.scrollHeight;
  }

  #append(line: HTMLElement): void {
    if (this.#fresh.push(line) === 1) {
      requestAnimationFrame(() => { this.#draw(); });
    }
    if (this.#fresh.length > kept) {
      this.#fresh.shift(); // nobody looks: a page in the background is not drawn
    }
  }

  #draw(): void {
    const [box, list] = [this.#box, this.#list];
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
    list.append(...this.#fresh, ...this.#waiting.values());
    this.#fresh = [];
    while (list.children.length > kept) {
      list.firstChild?.remove();
    }
    if (atEnd) {
      box.scrollTop = box.scrollHeight;
    }
  }
}

function draw({ text, from, mine }: Line): HTMLElement {
  const line = document.createElement("li");
  const name = document.createElement("b");
  name.textContent = from;
  line.append(name, text);
  line.className = mine ? "mine" : "";
  return line;
}
