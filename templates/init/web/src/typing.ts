import { byId, names } from "./dom.ts";

/** How long somebody is said to type after the last sign of it, in milliseconds. */
const patience = 4000;

/** Who is typing. */
export class Typists {
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  typing(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(() => { this.stopped(name); }, patience));
    this.#draw();
  }

  stopped(name: string): void {
    clearTimeout(this.#timers.get(name));
    if (this.#timers.delete(name)) {
      this.#draw();
    }
  }

  clear(): void {
    [...this.#timers.keys()].forEach((name) => { this.stopped(name); });
  }

  #draw(): void {
    const all = [...this.#timers.keys()];
    const who = all.length > 3 ? [`${all.length} people`] : names(all);
    byId("typing").replaceChildren(...(all.length === 0 ? [] : [...who, ` ${all.length === 1 ? "is" : "are"} typing…`]));
  }
}
