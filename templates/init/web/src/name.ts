import { byId } from "./dom.ts";

/** The form with the reader's name. It changes when they say so. */
export class Name {
  readonly #input = byId<HTMLInputElement>("who");
  #name = "";

  constructor(changed: (name: string) => void) {
    byId<HTMLFormElement>("name").onsubmit = (event) => {
      event.preventDefault();
      const name = this.typed();
      if (name !== this.#name) {
        changed(name);
      }
    };
    this.#input.onkeydown = ({ key }) => {
      if (key === "Escape") {
        this.#input.value = this.#name;
      }
    };
  }

  /** What stands there; the name, where nothing does. */
  typed(): string {
    const typed = this.#input.value.trim();
    if (typed === "") {
      this.#input.value = this.#name;
    }
    return typed === "" ? this.#name : typed;
  }

  show(name: string): void {
    this.#name = this.#input.value = name;
  }
}
