// The page: its parts, and who they belong to. What happens in a room is in session.ts.
import { Banner } from "./banner.ts";
import { Composer } from "./composer.ts";
import { Log } from "./log.ts";
import { Name } from "./name.ts";
import { Members } from "./presence.ts";
import { addressOf, Rooms, roomOfAddress } from "./rooms.ts";
import { Session, type View } from "./session.ts";
import { recall, remember } from "./storage.ts";
import { Title } from "./title.ts";
import { Typists } from "./typing.ts";
import { fitViewport } from "./viewport.ts";

let room = roomOfAddress() ?? recall("room") ?? "general";
let session: Session | undefined;

const composer: Composer = new Composer((text) => session?.say(text), () => session?.typing());
const name = new Name(start);
const view: View = {
  banner: new Banner(() => { start(name.typed()); }),
  composer,
  log: new Log(() => void session?.older()),
  members: new Members(),
  rooms: new Rooms(() => { composer.focus(); }),
  title: new Title(),
  typists: new Typists(),
};

/** Connects as somebody, in the place of who was connected. */
function start(user: string): void {
  session?.close();
  remember("user", user);
  name.show(user);
  session = new Session(user, view);
  session.network(navigator.onLine);
  session.goTo(room);
}

function goTo(next: string): void {
  room = next;
  remember("room", room);
  session?.goTo(room);
}

window.addEventListener("hashchange", () => {
  const next = roomOfAddress();
  if (next !== undefined && next !== room) {
    goTo(next);
  }
});
for (const event of ["online", "offline"]) {
  window.addEventListener(event, () => session?.network(event === "online"));
}
window.addEventListener("beforeunload", (event) => {
  if (session?.waits === true) {
    event.preventDefault(); // the browser asks whether the reader means it
  }
});

history.replaceState(null, "", addressOf(room));
fitViewport();
start(recall("user") ?? `guest-${Math.random().toString(36).slice(2, 6)}`);
