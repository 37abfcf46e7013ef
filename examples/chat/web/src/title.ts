/** The title of the tab: the room, and how much was said while nobody looked. */
export class Title {
  #room = "";
  #unread = 0;

  constructor() {
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) {
        this.#unread = 0;
        this.#draw();
      }
    });
  }

  enter(room: string): void {
    this.#room = room;
    this.#unread = 0;
    this.#draw();
  }

  /** Somebody has said something. */
  said(): void {
    if (document.hidden) {
      this.#unread++;
      this.#draw();
    }
  }

  #draw(): void {
    document.title = `${this.#unread === 0 ? "" : `(${this.#unread}) `}${this.#room} · Chat`;
  }
}
