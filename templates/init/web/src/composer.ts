import { byId } from "./dom.ts";

/** The longest message that the protocol allows, and from where on the reader is told how long it is. */
const longest = 2000;
const long = 1800;

/** How often the others are told that somebody types, in milliseconds. */
const typingEvery = 2000;

/** Where one types. */
export class Composer {
  readonly #text = byId<HTMLTextAreaElement>("text");
  readonly #form = byId<HTMLFormElement>("say");
  readonly #send = byId<HTMLButtonElement>("send");
  readonly #count = byId("count");
  #typedAt = 0;

  constructor(say: (text: string) => void, typing: () => void) {
    this.#text.oninput = () => {
      this.#draw();
      if (Date.now() - this.#typedAt > typingEvery && this.#text.value.trim() !== "") {
        typing();
        this.#typedAt = Date.now();
      }
    };
    this.#text.onkeydown = (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { // which ends the choice of a character otherwise
        event.preventDefault();
        this.#form.requestSubmit();
      }
    };
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      const text = this.#text.value.trim();
      if (text !== "" && [...text].length <= longest && !this.#send.disabled) {
        say(text);
        this.#text.value = "";
        this.#typedAt = 0;
        this.#draw();
      }
      this.#text.focus(); // where Send was tapped, the keyboard stays
    };
  }

  /** Says whether there is any use in typing. What was typed stays. */
  enable(can: boolean): void {
    this.#send.disabled = !can;
    this.#text.placeholder = can ? "Message" : "You are not connected";
  }

  /** Lets a reader who has a keyboard go on typing. On a phone, it would cover half of the room. */
  focus(): void {
    if (matchMedia("(pointer: fine)").matches) {
      this.#text.focus();
    }
  }

  #draw(): void {
    const length = this.#text.value.length < long ? 0 : [...this.#text.value.trim()].length;
    const over = length > longest;
    this.#count.textContent = over ? `${length - longest} characters too many` : length >= long ? `${length} of ${longest} characters` : "";
    this.#text.setAttribute("aria-invalid", String(over));
    if (!CSS.supports("field-sizing", "content")) {
      this.#text.style.height = "auto";
      this.#text.style.height = `${this.#text.scrollHeight + 2}px`; // with its border
    }
  }
}
