import { byId, make } from "./dom.ts";
import { recallJSON, remember } from "./storage.ts";

/** The longest name that a room may have. */
const longest = 64;

/** The room that the address names, if any. */
export function roomOfAddress(): string | undefined {
  try {
    const name = decodeURIComponent(/^#\/(.+)$/.exec(location.hash)?.[1] ?? "").trim();
    return name === "" || [...name].length > longest ? undefined : name;
  } catch {
    return undefined; // not well encoded
  }
}

/** The address of a room within the page. */
export const addressOf = (room: string): string => `#/${encodeURIComponent(room)}`;

/** The rooms that one can go to. Each is a link, so that Back works and a room can be shown to others. */
export class Rooms {
  readonly #box = byId("rooms");
  readonly #links = new Map<string, HTMLAnchorElement>();
  #current = "";

  /** Visited is called when the reader has chosen a room here. */
  constructor(visited: () => void) {
    this.#box.addEventListener("click", ({ target }) => {
      if (target instanceof Element && target.closest("a") !== null) {
        visited();
      }
    });
    const more = byId<HTMLDetailsElement>("more");
    const input = byId<HTMLInputElement>("new");
    more.ontoggle = () => {
      if (more.open) {
        input.focus();
      }
    };
    more.onkeydown = ({ key }) => {
      if (key === "Escape") {
        more.open = false;
        more.querySelector("summary")?.focus();
      }
    };
    byId<HTMLFormElement>("open").onsubmit = (event) => {
      event.preventDefault();
      const name = [...input.value.trim()].slice(0, longest).join("");
      input.value = "";
      more.open = false;
      if (name !== "") {
        location.hash = addressOf(name);
        visited();
      }
    };
    ["general", "random", "gaming", ...recallJSON<string[]>("rooms", [])].forEach((room) => { this.#add(room); });
  }

  /** Shows that the reader is in a room. */
  enter(room: string): void {
    this.#current = room;
    this.#add(room);
    this.#links.forEach((link, name) => {
      if (name === room) {
        link.setAttribute("aria-current", "page");
      } else {
        link.removeAttribute("aria-current");
      }
    });
    remember("rooms", JSON.stringify([...this.#links.keys()]));
    this.#links.get(room)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Shows how many messages each room has not got. */
  unsent(counts: ReadonlyMap<string, number>): void {
    counts.forEach((_, room) => { this.#add(room); });
    this.#links.forEach((link, room) => {
      const count = room === this.#current ? 0 : (counts.get(room) ?? 0);
      const text = count === 0 ? "" : ` (${count} unsent)`;
      if (link.lastChild?.textContent !== text) {
        link.replaceChildren(make("bdi", "", room), make("span", "", text));
      }
    });
  }

  #add(room: string): void {
    if (!this.#links.has(room)) {
      const link = make("a", "", make("bdi", "", room), make("span", ""));
      link.href = addressOf(room);
      link.title = room;
      this.#links.set(room, link);
      this.#box.append(make("li", "", link));
    }
  }
}
