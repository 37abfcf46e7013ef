import type { Presence, PresenceMember } from "../../chat/client.gen.ts";
import { byId, make, names } from "./dom.ts";

/** Who else is in the room. */
export class Members {
  readonly #box = byId<HTMLDetailsElement>("members");
  readonly #members = new Map<number, PresenceMember>();

  constructor() {
    this.#box.addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && this.#box.open) {
        this.#box.open = false;
        this.#box.querySelector("summary")?.focus();
      }
    });
  }

  clear(): void {
    this.#members.clear();
    this.#box.hidden = true;
    this.#box.open = false;
  }

  update({ count, members, joined, left }: Presence): void {
    if (members !== undefined) {
      this.#members.clear();
    }
    [...(members ?? []), ...(joined ?? [])].forEach((member) => this.#members.set(member.id, member));
    left?.forEach((id) => this.#members.delete(id));
    this.#draw(count);
  }

  #draw(count: number): void {
    const all = [...new Set([...this.#members.values()].map((member) => member.claims?.userId ?? "somebody"))].sort();
    const more = Math.max(0, count - this.#members.size);
    const [summary, list] = [byId("here"), byId("all")];
    summary.replaceChildren(`${all.length + more} here: `, ...names(all.slice(0, 20)));
    list.replaceChildren(...all.map((name) => make("li", "", make("bdi", "", name))), ...(more > 0 ? [make("li", "", `and ${more} more`)] : []));
    this.#box.hidden = false;
  }
}
