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

  await bob.getByRole("button", { name: "random" }).click();
  await ann.getByText("bob left").waitFor();
  await bob.getByText("you are in random").waitFor();
  await say(ann, "gone?");
  await ann.getByText("gone?").waitFor();
  await bob.getByRole("button", { name: "general" }).click();
  await bob.getByText("gone?").waitFor(); // from the history
  await leave(ann, bob);
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
  if (process.env.PICTURE) {
    await both.screenshot({ path: process.env.PICTURE });
  }
  await both.context().close();
  await leave(ann, bob);
});

// numbers returns the numbered lines that a page shows, in its order.
const numbers = (page) => page.locator("#log li").evaluateAll((lines) => lines.map((line) => /^n(\d+)$/.exec(line.lastChild.textContent)?.[1]).filter(Boolean).map(Number));

// until waits for a page to satisfy something.
const until = (page, what, arg) => page.waitForFunction(what, arg, { timeout: 60_000 });

test("a restart loses nothing of ten pages: a thousand messages, once, in order", { timeout: 180_000 }, async () => {
  const each = 100;
  const pages = await Promise.all(Array.from({ length: 10 }, (_, i) => visit(`p${i}`, { room: "numbers" })));
  // type lets a page say its numbers, one after the other, as fast as it takes them.
  const type = (page, i, from, to) => page.evaluate(([first, last]) => {
    const [form, input] = ["say", "text"].map((id) => document.getElementById(id));
    for (let n = first; n < last; n++) {
      input.value = `n${n}`;
      form.requestSubmit();
    }
  }, [i * each + from, i * each + to]);
  await Promise.all(pages.map((page, i) => type(page, i, 0, 40)));
  await until(pages[0], () => document.querySelectorAll("#log li:not(.note):not(.waits)").length >= 100);
  const { code, start } = await restart("SIGTERM"); // while they talk
  assert.equal(code, 0, "the server drains and ends with 0");
  await pages[0].getByText("Connection lost").waitFor();
  await Promise.all(pages.map((page, i) => type(page, i, 40, 60))); // during the outage
  await start();
  await Promise.all(pages.map((page, i) => type(page, i, 60, each)));
  for (const page of pages) {
    await until(page, () => document.querySelectorAll("#log li:not(.note):not(.waits)").length >= 1000);
  }
  const order = await numbers(pages[0]);
  assert.equal(new Set(order).size, 1000);
  for (const page of pages) {
    assert.deepEqual(await numbers(page), order, "every page shows the same");
    assert.equal(await page.getByText("messages were lost").count(), 0);
  }
  for (let i = 0; i < pages.length; i++) {
    const own = order.filter((n) => Math.floor(n / each) === i);
    assert.deepEqual(own, own.toSorted((a, b) => a - b), "what one says stays in order");
  }
  await leave(...pages);
});

test("a server that is killed loses something, and the page says so", { timeout: 60_000 }, async () => {
  const ann = await visit("ann", { room: "crash" });
  await say(ann, "before");
  await until(ann, () => document.querySelectorAll("#log li:not(.note):not(.waits)").length === 1);
  const { start } = await restart("SIGKILL");
  await ann.getByText("Connection lost").waitFor();
  await say(ann, "meanwhile");
  await start();
  await ann.getByText(/some messages were lost/).waitFor({ timeout: 30_000 });
  await until(ann, () => [...document.querySelectorAll("#log li:not(.waits)")].some((line) => line.textContent.includes("meanwhile")));
  await leave(ann);
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

test("what is typed without a network is sent when it is back", { timeout: 60_000 }, async () => {
  const cable = await link();
  const ann = await visit("ann", { room: "train", addr: cable.addr });
  const bob = await visit("bob", { room: "train" });
  cable.set(false);
  await ann.getByText("Connection lost").waitFor();
  await say(ann, "in the tunnel");
  await say(bob, "meanwhile outside");
  await bob.getByText("meanwhile outside").waitFor();
  assert.equal(await bob.getByText("in the tunnel").count(), 0);
  cable.set(true);
  await ann.evaluate(() => window.dispatchEvent(new Event("online")));
  await bob.getByText("in the tunnel").waitFor({ timeout: 30_000 });
  await ann.getByText("meanwhile outside").waitFor();
  await leave(ann, bob);
  cable.close();
});

test("a name that the server refuses is said, and another one works", { timeout: 60_000 }, async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(() => sessionStorage.setItem("user", "x".repeat(50)));
  await page.goto(`http://${server.addr}/`);
  await page.getByRole("status").getByText("Connection lost").waitFor();
  await page.getByLabel("Your name").fill("ann");
  await page.keyboard.press("Enter");
  await page.getByText("you are in general").waitFor();
  await context.close();
});

test("a token that has expired ends the page's attempts, and it says so", { timeout: 60_000 }, async () => {
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

test("two hundred messages a second leave the page usable", { timeout: 60_000 }, async () => {
  const page = await visit("reader", { room: "busy" });
  const talkers = await Promise.all(Array.from({ length: 10 }, async (_, i) => {
    const ws = new WebSocket(`ws://${server.addr}/ws?user=t${i}`);
    await once(ws, "open");
    ws.send(JSON.stringify({ type: "JOIN_ROOM", payload: { roomId: "busy" } }));
    return ws;
  }));
  let said = 0;
  const talk = setInterval(() => {
    if (said < 600) talkers.forEach((ws) => ws.send(JSON.stringify({ type: "ROOM_MESSAGE", payload: { text: `m${said++}` } })));
  }, 50); // as fast as the rate of each allows
  await say(page, "and me");
  await until(page, () => [...document.querySelectorAll("#log li.mine:not(.waits)")].some((line) => line.textContent.includes("and me")));
  await until(page, () => document.querySelectorAll("#log li:not(.note):not(.waits)").length >= 601);
  clearInterval(talk);
  talkers.forEach((ws) => ws.terminate());
  await leave(page);
});
