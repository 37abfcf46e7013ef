// The chat page in a real browser, against the real server.
import assert from "node:assert/strict";
import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { after, before, test } from "node:test";
import axe from "axe-core";
import { chromium } from "playwright-core";
import WebSocket from "ws";

const root = new URL("..", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "wsgen-e2e-"));
const binary = join(folder, "chat");
let browser, server;

// serve starts the server and returns it with the address that it prints. It keeps its rooms from one start to the next.
async function serve(addr = "127.0.0.1:0") {
  const child = spawn(binary, ["--addr", addr, "--data", join(folder, "data")], { stdio: ["ignore", "pipe", "inherit"] });
  child.ended = new Promise((resolve) => child.once("exit", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const m = /http:\/\/(\S+)/.exec(line);
    if (m) return Object.assign(child, { addr: m[1] });
  }
  throw new Error("the server does not start");
}

// restart ends the server with a signal and starts it anew on the same address.
async function restart(signal) {
  server.kill(signal);
  const code = await server.ended;
  const { addr } = server;
  server = undefined;
  return { code, start: async () => { server = await serve(addr); } };
}

before(async () => {
  execFileSync("go", ["build", "-o", binary, "./examples/chat"], { cwd: root, stdio: "inherit" });
  server = await serve();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});

after(async () => {
  await browser?.close();
  server?.kill("SIGKILL");
  await server?.ended;
  rmSync(folder, { recursive: true, force: true });
});

// visit opens the page as somebody, in a room.
async function visit(user, { room = "general", addr = server.addr, ...options } = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(60_000); // where the machine has other work
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (e) => faults.push(e));
  await page.addInitScript(([name, at]) => {
    sessionStorage.setItem("user", name);
    sessionStorage.setItem("room", at);
  }, [user, room]);
  await page.goto(`http://${addr}/`);
  await page.getByText(`you are in ${room}`).waitFor();
  return Object.assign(page, { faults });
}

// leave closes pages, which must have had no faults.
async function leave(...pages) {
  for (const page of pages) {
    assert.deepEqual(page.faults, []);
    await page.context().close();
  }
}

async function say(page, text) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

// numbers returns the numbered lines that a page shows, in its order.
const numbers = (page) => page.locator("#log li").evaluateAll((lines) => lines.map((line) => /^n(\d+)$/.exec(line.lastChild.textContent)?.[1]).filter(Boolean).map(Number));

// until waits for a page to satisfy something.
const until = (page, what, arg) => page.waitForFunction(what, arg, { timeout: 150_000 });

test("two pages chat, by keyboard", async () => {
  const ann = await visit("ann");
  const bob = await visit("bob", { viewport: { width: 390, height: 780 }, colorScheme: "dark" });
  await ann.getByText("bob joined").waitFor();
  await ann.getByText("here: ann, bob").waitFor();
  await bob.getByText("here: ann, bob").waitFor();
  await ann.getByText(/^shard \d$/).waitFor();

  await bob.getByLabel("Message", { exact: true }).pressSequentially("hel");
  await ann.getByText("bob is typing").waitFor();
  await say(bob, "hello <b>ann</b>");
  await ann.getByText("hello <b>ann</b>").waitFor(); // as text, not as markup
  assert.equal(await ann.getByText("bob is typing").count(), 0);
  await say(ann, "hi bob");
  await bob.getByText("hi bob").waitFor();

  await bob.getByRole("button", { name: "random" }).focus();
  await bob.keyboard.press("Enter");
  await ann.getByText("bob left").waitFor();
  await bob.getByText("you are in random").waitFor();
  assert.equal(await bob.evaluate(() => document.activeElement.id), "text", "one can go on typing");
  await say(ann, "gone?");
  await ann.getByText("gone?").waitFor();
  await bob.getByRole("button", { name: "general" }).click();
  await bob.getByText("gone?").waitFor(); // from the history
  await leave(ann, bob);
});

test("a phone and a screen reader have what they need, in light and in dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const ann = await visit("ann", { room: "axe", viewport: { width: 360, height: 640 }, colorScheme });
    await say(ann, `so ${colorScheme}, and ${"very ".repeat(40)}long${"g".repeat(80)}`);
    await until(ann, () => document.querySelector("#log li.mine:not(.waits)"));
    assert.ok(await ann.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
    await ann.evaluate(axe.source);
    const { violations } = await ann.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]), [], colorScheme);
    assert.match(await ann.locator("body").ariaSnapshot(), /- log "Messages"[^]*- listitem[^]*- status[^]*- textbox "Message"/, "even while it says nothing, the status is there");
    await leave(ann);
  }
});

test("the picture of the chat in two windows", async () => {
  const ann = await visit("ann", { room: "tea", viewport: { width: 640, height: 560 } });
  const bob = await visit("bob", { room: "tea", viewport: { width: 360, height: 560 }, colorScheme: "dark" });
  await say(ann, "The kettle is on.");
  await say(bob, "I bring the biscuits!");
  await bob.getByLabel("Message", { exact: true }).pressSequentially("and");
  await ann.getByText("bob is typing").waitFor();
  const shots = await Promise.all([ann, bob].map(async (page) => (await page.screenshot()).toString("base64")));
  const both = await (await browser.newContext({ viewport: { width: 1040, height: 600 } })).newPage();
  await both.setContent(`<body style="margin:0;padding:20px;display:flex;gap:0;background:#c9d3df">${shots
    .map((data) => `<img style="border-radius:12px;margin-right:8px;box-shadow:0 4px 16px #0003" src="data:image/png;base64,${data}">`)
    .join("")}</body>`);
  if (process.env.PICTURE) { // make picture: the one in README.md
    await both.screenshot({ path: process.env.PICTURE });
  }
  await both.context().close();
  await leave(ann, bob);
});

// Ten pages, of a hundred numbers each: those of page i begin at i*each.
const each = 100;

// type lets a page say its numbers, one after the other, as fast as it takes them.
const type = (page, i, from, to) => page.evaluate(([first, last]) => {
  const [form, input] = ["say", "text"].map((id) => document.getElementById(id));
  for (let n = first; n < last; n++) {
    input.value = `n${n}`;
    form.requestSubmit();
  }
}, [i * each + from, i * each + to]);

// talk lets ten pages say a thousand numbers, while a signal ends the server in the middle; it starts again after a while.
async function talk(room, signal) {
  const pages = await Promise.all(Array.from({ length: 10 }, (_, i) => visit(`p${i}`, { room })));
  await Promise.all(pages.map((page, i) => type(page, i, 0, 40)));
  await until(pages[0], () => document.querySelectorAll("#log li:not(.note):not(.waits)").length >= 100);
  const { code, start } = await restart(signal); // while they talk
  await pages[0].getByText("Connection lost").waitFor();
  await Promise.all(pages.map((page, i) => type(page, i, 40, 60))); // during the outage
  await start();
  await Promise.all(pages.map((page, i) => type(page, i, 60, each)));
  return { pages, code };
}

// wantOwnOrder wants the numbers that a page shows to be there once, those of each page in their order.
function wantOwnOrder(order) {
  assert.equal(new Set(order).size, order.length, "none is there twice");
  for (let i = 0; i < 10; i++) {
    const own = order.filter((n) => Math.floor(n / each) === i);
    assert.deepEqual(own, own.toSorted((a, b) => a - b), "what one says stays in order");
  }
}

test("a restart loses nothing of ten pages: a thousand messages, once, in order", { timeout: 300_000 }, async () => {
  const { pages, code } = await talk("numbers", "SIGTERM");
  assert.equal(code, 0, "the server drains and ends with 0");
  for (const page of pages) {
    await until(page, () => document.querySelectorAll("#log li:not(.note):not(.waits)").length >= 1000);
  }
  const order = await numbers(pages[0]);
  assert.equal(order.length, 1000);
  wantOwnOrder(order);
  for (const page of pages) {
    assert.deepEqual(await numbers(page), order, "every page shows the same");
    assert.equal(await page.getByText("messages were lost").count(), 0);
  }
  await leave(...pages);
});

test("a server that is killed while ten pages talk loses something, and every page that misses it says so", { timeout: 300_000 }, async (t) => {
  const { pages } = await talk("crash", "SIGKILL");
  for (const page of pages) { // what was typed in the outage and after it arrives everywhere
    await until(page, (last) => last.every((n) => [...document.querySelectorAll("#log li:not(.note):not(.waits)")].some((line) => line.lastChild.textContent === `n${n}`)),
      pages.map((_, i) => i * each + each - 1));
    assert.equal(await page.locator("#log li.waits").count(), 0);
  }
  const shown = await Promise.all(pages.map(numbers));
  const longest = shown.toSorted((a, b) => b.length - a.length)[0];
  for (const [i, order] of shown.entries()) {
    wantOwnOrder(order);
    assert.deepEqual(order, longest.slice(longest.length - order.length), "from where a page was told on, it shows all, as the others do");
    const told = await pages[i].getByText(/some messages were lost: /).count();
    assert.ok(order.length === 1000 || told > 0, `page ${i} shows ${order.length} of 1000 and says nothing of it`);
  }
  assert.ok((await pages[0].getByText(/some messages were lost: /).count()) > 0, "this one was there before, and says so");
  t.diagnostic(`the pages show ${shown.map((order) => order.length).join(", ")} of 1000`);
  await leave(...pages);
});

// link is a network cable: a proxy to the server that can be pulled out.
function link() {
  const sockets = new Set();
  let up = true;
  const proxy = createServer((inside) => {
    if (!up) return void inside.destroy();
    const [host, port] = server.addr.split(":");
    const outside = connect(Number(port), host);
    for (const [from, to] of [[inside, outside], [outside, inside]]) {
      sockets.add(from);
      from.on("error", () => to.destroy()).on("close", () => { to.destroy(); sockets.delete(from); });
      from.pipe(to);
    }
  });
  return new Promise((resolve) => proxy.listen(0, "127.0.0.1", () => resolve({
    addr: `127.0.0.1:${proxy.address().port}`,
    set(on) {
      up = on;
      if (!on) sockets.forEach((socket) => socket.destroy());
    },
    close: () => { sockets.forEach((socket) => socket.destroy()); proxy.close(); },
  })));
}

test("what is typed without a network is sent when it is back", { timeout: 120_000 }, async () => {
  const cable = await link();
  const ann = await visit("ann", { room: "train", addr: cable.addr });
  const bob = await visit("bob", { room: "train" });
  cable.set(false);
  await ann.getByText("Connection lost").waitFor();
  await say(ann, "in the tunnel");
  await say(bob, "meanwhile outside");
  await bob.getByText("meanwhile outside").waitFor();
  assert.equal(await bob.getByText("in the tunnel").count(), 0);
  await ann.getByRole("button", { name: "random" }).click();
  const unsent = ann.getByRole("button", { name: "train (1 unsent)" }); // what belongs to a room stays with it
  await unsent.waitFor();
  cable.set(true);
  await ann.evaluate(() => window.dispatchEvent(new Event("online")));
  await ann.getByText("you are in random").waitFor({ timeout: 30_000 });
  await unsent.click();
  await bob.getByText("in the tunnel").waitFor({ timeout: 30_000 });
  await ann.getByText("meanwhile outside").waitFor();
  await leave(ann, bob);
  cable.close();
});

test("a name that the server refuses is said, and another one works", { timeout: 120_000 }, async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(() => sessionStorage.setItem("user", "x".repeat(50)));
  await page.goto(`http://${server.addr}/`);
  await page.getByRole("status").getByText(/^Disconnected: .*4401: not authenticated/).waitFor();
  await page.getByLabel("Your name").fill("ann");
  await page.keyboard.press("Enter");
  await page.getByText("you are in general").waitFor();
  await context.close();
});

test("a token that has expired ends the page's attempts, and it says so", { timeout: 120_000 }, async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  let attempts = 0;
  await page.routeWebSocket(/\/ws\?/, (ws) => {
    attempts++;
    void ws.close({ code: 4401, reason: "the token has expired" });
  });
  await page.goto(`http://${server.addr}/`);
  await page.getByRole("status").getByText(/^Disconnected: .*4401.*the token has expired/).waitFor();
  assert.equal(attempts, 1);
  await context.close();
});

test("two hundred messages a second leave the page usable", { timeout: 120_000 }, async (t) => {
  const page = await visit("reader", { room: "busy" });
  const talkers = await Promise.all(Array.from({ length: 10 }, async (_, i) => {
    const ws = new WebSocket(`ws://${server.addr}/ws?user=t${i}`);
    await once(ws, "open");
    ws.send(JSON.stringify({ type: "JOIN_ROOM", payload: { roomId: "busy" } }));
    return ws;
  }));
  await page.evaluate(() => {
    window.frames60 = { longest: 0, drawn: 0 };
    let [before, lines] = [performance.now(), 0];
    const frame = (now) => {
      const shown = document.querySelectorAll("#log li").length;
      window.frames60 = { longest: Math.max(window.frames60.longest, now - before), drawn: window.frames60.drawn + Number(shown > lines) };
      [before, lines] = [now, shown];
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  let said = 0;
  const flood = setInterval(() => talkers.forEach((ws) => ws.send(JSON.stringify({ type: "ROOM_MESSAGE", payload: { text: `m${said++}` } }))), 50); // as fast as the rate of each allows
  const input = page.getByLabel("Message", { exact: true });
  await page.getByText(/m99$/).waitFor();
  await input.pressSequentially("and me, in the middle of it");
  assert.equal(await input.inputValue(), "and me, in the middle of it");
  await page.keyboard.press("Enter");
  await until(page, () => [...document.querySelectorAll("#log li.mine:not(.waits)")].some((line) => line.textContent.includes("and me")));
  await page.getByRole("button", { name: "random" }).click(); // away from it, and back
  await page.getByText("you are in random").waitFor();
  await page.getByRole("button", { name: "busy" }).click();
  await page.getByText("you are in busy").waitFor();
  const back = said;
  await page.getByText(new RegExp(`m${back + 400}$`)).waitFor(); // the flood has gone on all the time
  clearInterval(flood);
  const { longest, drawn } = await page.evaluate(() => window.frames60);
  assert.ok(drawn > 20, `the page was drawn ${drawn} times only`);
  t.diagnostic(`${said} messages, drawn in ${drawn} frames; the longest time without a frame: ${Math.round(longest)} ms`);
  talkers.forEach((ws) => ws.terminate());
  await leave(page);
});
