// What the tests of the chat page share: a server, a browser, and people who visit.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import WebSocket from "ws";
import { goBuild, start, stop } from "./server.mjs";

const browserFlags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** The server and the browser of a file of tests. */
export const chat = {
  server: undefined,
  browser: undefined,
  folder: undefined,
  ends: [], // what else has to be ended

  // serve starts the server, perhaps with more flags; addr is what it prints. It keeps its rooms from one start to the next.
  async serve(addr = "127.0.0.1:0", ...flags) {
    return (this.server = await start(join(this.folder, "chat"), ["--addr", addr, "--data", join(this.folder, "data"), ...flags]));
  },

  // stop ends the server with a signal; start starts it anew on the same address.
  async stop(signal) {
    const { server } = this;
    this.server = undefined;
    return { code: await stop(server, signal), start: () => this.serve(server.addr) };
  },
};

/** Starts a server and a browser for the tests of a file, prepares what else they need, and ends all after it. */
export function useChat(prepare) {
  before(async () => {
    chat.folder = mkdtempSync(join(tmpdir(), "wsgen-e2e-"));
    goBuild("./examples/chat", join(chat.folder, "chat"));
    await chat.serve();
    chat.browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: browserFlags });
    await prepare?.();
  });
  after(async () => {
    chat.ends.forEach((end) => end());
    await chat.browser?.close();
    chat.server?.kill("SIGKILL");
    await chat.server?.ended;
    rmSync(chat.folder, { recursive: true, force: true });
  });
}

/** Opens a window, in which nothing may go wrong that the browser tells of: faults, and what the page may not load. */
export async function open(options = {}) {
  const context = await chat.browser.newContext(options);
  context.setDefaultTimeout(60_000); // where the machine has other work
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (e) => faults.push(e));
  page.on("console", (m) => /Content Security Policy/.test(m.text()) && faults.push(m.text()));
  page.on("dialog", (dialog) => dialog.accept());
  return Object.assign(page, { faults });
}

/** Opens the page as somebody, in a room. */
export async function visit(user, { room = "general", addr = chat.server.addr, ...options } = {}) {
  const page = await open(options);
  await page.addInitScript((name) => sessionStorage.getItem("user") ?? sessionStorage.setItem("user", name), user);
  await page.goto(`http://${addr}/#/${encodeURIComponent(room)}`);
  await entered(page, room);
  return page;
}

/** Waits until a page is in a room. */
export const entered = (page, room) => page.getByText(`You are in ${room}`, { exact: true }).waitFor();

/** Closes pages, which must have had no faults. */
export async function leave(...pages) {
  for (const page of pages) {
    assert.deepEqual(page.faults, []);
    await page.context().close();
  }
}

export const message = (page) => page.getByLabel("Message", { exact: true });
export const status = (page, text) => page.locator("#status").getByText(text).waitFor();
export const link = (page, room) => page.getByRole("navigation", { name: "Rooms" }).getByRole("link", { name: room, exact: true });

export async function say(page, text) {
  await message(page).fill(text);
  await message(page).press("Enter");
}

/** The line of a message, of those that the room has. */
export const line = (page, text) => page.locator("#lines .message:not(.waits)").filter({ has: page.getByText(text, { exact: true }) });

/** The messages that a page shows and the room has, in the page's order. */
export const texts = (page) => page.locator("#lines .message:not(.waits) .text").allTextContents();

/** Waits for a page to satisfy something. */
export const until = (page, what, arg, options) => page.waitForFunction(what, arg, { timeout: 150_000, ...options });

/** Lets somebody talk who has no page: say sends a text. */
export async function bot(user, room) {
  const token = await fetch(`http://${chat.server.addr}/token?user=${encodeURIComponent(user)}`);
  const ws = new WebSocket(`ws://${chat.server.addr}/ws`, ["wsgen.v1", `bearer.${token.ok ? (await token.text()).trim() : user}`]);
  chat.ends.push(() => ws.terminate());
  await once(ws, "open");
  const send = (type, payload) => ws.send(JSON.stringify({ type, payload }));
  send("JOIN_ROOM", { roomId: room });
  return { say: (text) => send("ROOM_MESSAGE", { text }), typing: () => send("TYPING", { roomId: room }), leave: () => ws.terminate() };
}

/** A network cable: a proxy to the server that can be pulled out, or carry nothing any more without anybody noticing. */
export function cable() {
  const pairs = new Set();
  let up = true;
  const proxy = createServer((inside) => {
    if (!up) return void inside.destroy();
    const [host, port] = chat.server.addr.split(":");
    const outside = connect(Number(port), host);
    const pair = [inside, outside];
    pairs.add(pair);
    for (const [from, to] of [pair, pair.toReversed()]) {
      from.on("error", () => to.destroy()).on("close", () => { to.destroy(); pairs.delete(pair); });
      from.pipe(to);
    }
  });
  const cut = () => pairs.forEach(([inside]) => inside.destroy());
  chat.ends.push(() => { cut(); proxy.close(); });
  return new Promise((resolve) => proxy.listen(0, "127.0.0.1", () => resolve({
    addr: `127.0.0.1:${proxy.address().port}`,
    plug() { up = true; },
    pull() { up = false; cut(); },
    swallow() { pairs.forEach(([inside, outside]) => { inside.unpipe(outside); outside.unpipe(inside); inside.resume(); outside.resume(); }); },
  })));
}
