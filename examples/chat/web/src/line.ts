// One line of the log, and how it looks.
import { button, make } from "./dom.ts";

/** A message as the log shows it. */
export interface Said {
  readonly from: string;
  readonly text: string;
  readonly at: number; // ms since 1970
  readonly id?: number | undefined; // of the room; those that wait have none
  readonly key?: string | undefined; // of its sender's
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });

/** The day of a time, where the reader is. */
export const dayOf = (at: number): string => date.format(at);

/** Draws what somebody said. */
export function drawMessage({ from, text, at }: Said, mine: boolean): HTMLLIElement {
  const words = make("p", "text", text);
  words.dir = "auto";
  const line = make("li", mine ? "message mine" : "message", make("p", "meta", make("bdi", "", from), " ", make("time", ""), " ", make("span", "mark")), words);
  setTime(line, at);
  return line;
}

/** Draws the page's own words, or the day that begins. */
export function drawNote(text: string, kind = ""): HTMLLIElement {
  const note = make("li", `note ${kind}`, text);
  note.dir = "auto";
  return note;
}

export function setTime(line: HTMLElement, at: number): void {
  const time = line.querySelector("time");
  if (time !== null) {
    time.dateTime = new Date(at).toISOString();
    time.title = full.format(at);
    time.textContent = clock.format(at);
  }
}

/** Says what has become of a message that the room has not got; "" when it has. */
export function setMark(line: HTMLElement, text: string): void {
  const mark = line.querySelector(".mark");
  if (mark !== null && mark.textContent !== text) { // else it is read out again
    mark.textContent = text;
  }
  line.classList.toggle("waits", text !== "");
  line.classList.remove("refused");
  line.querySelector(".actions")?.remove();
}

/** Says that the server has not taken a message, and offers what can be done. */
export function setRefused(line: HTMLElement, why: string, again: () => void, discard: () => void): void {
  setMark(line, `not sent: ${why}`);
  line.classList.add("refused");
  line.append(make("p", "actions", button("Retry", again), button("Discard", discard)));
}
