// The page: what is on the screen, and what the generated client tells it.
import { type Client, connect, isError, type PresenceMember } from "../../chat/client.gen.ts";
import { Log } from "./log.ts";
import { Outbox } from "./outbox.ts";

const byId = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const text = byId<HTMLInputElement>("text");
const who = byId<HTMLInputElement>("who");
const banner = byId("banner");
const log = new Log(byId("log"));

let user = sessionStorage.getItem("user") ?? "guest-" + Math.random().toString(36).slice(2, 6);
let room = sessionStorage.getItem("room") ?? "general";
let client = start();
const outboxes = new Map<string, Outbox>(); // of rooms
let outbox = outboxOf(room);
const rooms = new Set(["general", "random", "gaming", room]);
const typists = new Map<string, ReturnType<typeof setTimeout>>();
const members = new Map<number, PresenceMember>();
let entering = new AbortController();

/** Connects, and says what to do with what the server sends. */
function start(): Client {
  const url = new URL("ws", location.href);
  url.searchParams.set("user", user);
  const c = connect(url);
  c.on("ROOM_UPDATE", ({ roomId, userId, text: said, key }) => {
    if (roomId === room) {
      stopped(userId);
      log.add(said, userId, userId === user, key);
      outbox.confirm(key);
    }
  });
  c.on("TYPING", ({ roomId, userId, active }) => {
    if (roomId === room && userId !== undefined) {
      (active ? typing : stopped)(userId);
    }
  });
  c.on("$ws:presence", ({ topic, count, members: all, joined, left }) => {
    if (topic === "room:" + room) {
      if (all !== undefined) {
        members.clear();
      }
      [...(all ?? []), ...(joined ?? [])].forEach((member) => members.set(member.id, member));
      left?.forEach((id) => members.delete(id));
      drawMembers(count);
    }
  });
  c.onGap(({ room: topic, reason }) => {
    if (topic === "room:" + room) {
      void enter(`some messages were lost: ${reason}`);
    }
  });
  c.onState((state, error) => {
    if (state === "open") {
      banner.textContent = "";
      c.joinRoom({ roomId: room }); // a member already, where the server knows us
      outbox.resume();
    } else {
      outbox.pause();
      drawTyping();
      banner.textContent = state === "closed" ? `Disconnected: ${String(error)}` : "Connection lost. Trying again…";
    }
  });
  c.onError((error) => {
    if (isError(error, "RESOURCE_EXHAUSTED")) {
      outbox.retry(error.retryAfterMs);
    } else if (error instanceof Error) {
      log.note(error.message, "warn");
    }
  });
  return c;
}

/** What was typed in a room and is not confirmed stays with it: it is sent when the reader is back there. */
function outboxOf(name: string): Outbox {
  const known = outboxes.get(name) ?? new Outbox((message) => client.roomMessage(message));
  outboxes.set(name, known);
  return known;
}

/** Goes to a room. */
function goTo(next: string): void {
  room = next;
  rooms.add(room);
  sessionStorage.setItem("room", room);
  outbox.pause();
  outbox = outboxOf(room);
  drawRooms();
  void enter();
}

/** Joins the room and reads what was said; why is what the reader should know of it. */
async function enter(why?: string): Promise<void> {
  entering.abort();
  const abort = (entering = new AbortController());
  const here = room;
  [...typists.keys()].forEach(stopped);
  members.clear();
  client.joinRoom({ roomId: here });
  try {
    const { messages, shard } = await client.getHistory({ roomId: here, limit: 100 }, { signal: abort.signal });
    byId("shard").textContent = `shard ${shard}`;
    log.replace(messages.map((m) => ({ text: m.text, from: m.userId, mine: m.userId === user, ...(m.key === undefined ? {} : { key: m.key }) })));
    log.note(why ?? "you are in " + here, why === undefined ? "" : "warn");
    messages.forEach((m) => { outbox.confirm(m.key); });
    outbox.waiting.forEach(({ text: waits, key }) => { log.add(waits, user, true, key, true); });
    outbox.resume();
  } catch (error) {
    if (!abort.signal.aborted) {
      log.note(error instanceof Error ? error.message : String(error), "warn");
    }
  }
}

function drawRooms(): void {
  byId("rooms").replaceChildren(...[...rooms].map((name) => {
    const button = document.createElement("button");
    const unsent = name === room ? 0 : (outboxes.get(name)?.waiting.length ?? 0);
    button.textContent = unsent === 0 ? name : `${name} (${unsent} unsent)`;
    button.setAttribute("aria-current", String(name === room));
    button.onclick = () => {
      if (name !== room) {
        goTo(name);
      }
      text.focus();
    };
    return button;
  }));
  byId("rooms").querySelector("[aria-current=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function drawMembers(count: number): void {
  const names = [...new Set([...members.values()].map((member) => member.claims?.userId ?? "somebody"))].sort();
  const more = count - members.size;
  byId("members").textContent = names.length === 0 ? `${count} here` : `here: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function typing(name: string): void {
  clearTimeout(typists.get(name));
  typists.set(name, setTimeout(() => { stopped(name); }, 4000));
  drawTyping();
}

function stopped(name: string): void {
  clearTimeout(typists.get(name));
  typists.delete(name);
  drawTyping();
}

function drawTyping(): void {
  const names = client.state === "open" ? [...typists.keys()] : [];
  byId("typing").textContent = names.length === 0 ? "" : `${names.join(", ")} ${names.length === 1 ? "is" : "are"} typing…`;
}

let typedAt = 0;
text.oninput = () => {
  if (Date.now() - typedAt > 2000 && client.state === "open") {
    client.typing({ roomId: room });
    typedAt = Date.now();
  }
};

byId<HTMLFormElement>("say").onsubmit = (event) => {
  event.preventDefault();
  const said = text.value.trim();
  if (said !== "") {
    log.add(said, user, true, outbox.say(said), true);
    text.value = "";
    typedAt = 0;
  }
};

byId<HTMLFormElement>("open").onsubmit = (event) => {
  event.preventDefault();
  const input = byId<HTMLInputElement>("new");
  const name = input.value.trim();
  input.value = "";
  if (name !== "") {
    goTo(name);
  }
};

who.value = user;
who.onchange = () => {
  const name = who.value.trim();
  if (name === "" || name === user) {
    who.value = user;
    return;
  }
  user = name;
  sessionStorage.setItem("user", user);
  client.close();
  client = start(); // as somebody else
  goTo(room);
};

sessionStorage.setItem("user", user);
drawRooms();
void enter();
