import { byId } from "./dom.ts";

/** Says what is wrong with the connection, and what a screen reader has to know otherwise. */
export class Banner {
  readonly #box = byId("banner");
  readonly #text = byId("status");
  readonly #again = byId<HTMLButtonElement>("again");

  /** Again is called when the reader wants to connect again. */
  constructor(again: () => void) {
    this.#again.onclick = again;
  }

  /** Shows a text; "" hides it. */
  show(text: string, ended = false): void {
    if (this.#text.textContent !== text) { // else it is read out again
      this.#text.textContent = text;
    }
    this.#again.hidden = !ended;
    this.#box.classList.toggle("shown", text !== "");
  }

  /** Tells a screen reader something that all others see. */
  tell(text: string): void {
    byId("told").textContent = text;
  }
}
