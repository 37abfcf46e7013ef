import { byId } from "./dom.ts";

/** How far from the end, in pixels, a reader is still there. */
const near = 60;

/** Keeps the end of the log in view, as long as the reader is there, and else what the reader looks at. */
export class Scroller {
  readonly #box = byId("log");
  readonly #newer = byId<HTMLButtonElement>("newer");
  #following = true;
  #height = 0; // of the box, when it was measured last
  #unseen = 0;

  constructor() {
    const box = this.#box;
    box.addEventListener("scroll", () => {
      if (box.clientHeight === this.#height) { // else the browser has moved it, not the reader
        this.#following = box.scrollHeight - box.scrollTop - box.clientHeight < near;
        this.#draw();
      }
    }, { passive: true });
    new ResizeObserver(() => { // a keyboard, a banner, a longer message
      this.#height = box.clientHeight;
      this.#follow();
    }).observe(box);
    this.#newer.onclick = () => {
      this.toEnd();
      box.focus({ preventScroll: true }); // the button goes
    };
  }

  get following(): boolean {
    return this.#following;
  }

  toEnd(): void {
    this.#following = true;
    this.#follow();
  }

  /** There are messages more at the end. */
  grew(messages: number): void {
    if (!this.#following) {
      this.#unseen += messages;
    }
    this.#follow();
  }

  /** Changes what is above, while what the reader looks at stays where it is. */
  keepPlace(change: () => void): void {
    const box = this.#box;
    const below = box.scrollHeight - box.scrollTop;
    change();
    box.scrollTop = box.scrollHeight - below;
  }

  #follow(): void {
    if (this.#following) {
      this.#box.scrollTop = this.#box.scrollHeight;
    }
    this.#draw();
  }

  #draw(): void {
    this.#unseen = this.#following ? 0 : this.#unseen;
    this.#newer.hidden = this.#unseen === 0;
    this.#newer.textContent = `${this.#unseen} new ↓`;
  }
}
