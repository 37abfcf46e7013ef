// The chat page in a real browser, against the real server.
import assert from "node:assert/strict";
import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const root = new URL("..", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "wsgen-e2e-"));
const binary = join(folder, "chat");
let browser, server;

// serve starts the server and returns it with the address that it prints.
async function serve(addr = "127.0.0.1:0") {
  const child = spawn(binary, ["--addr", addr], { stdio: ["ignore", "pipe", "inherit"] });
  child.ended = new Promise((resolve) => child.once("exit", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const m = /http:\/\/(\S+)/.exec(line);
    if (m) return Object.assign(child, { addr: m[1] });
  }
  throw new Error("the server does not start");
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

// visit opens the page as somebody.
async function visit(user, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (e) => faults.push(e));
  await page.addInitScript((name) => sessionStorage.setItem("user", name), user);
  await page.goto(`http://${server.addr}/`);
  await page.getByText("you are in general").waitFor();
  return Object.assign(page, { faults });
}

async function say(page, text) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

test("two pages chat, by keyboard", async () => {
  const ann = await visit("ann");
  const bob = await visit("bob", { viewport: { width: 390, height: 780 }, colorScheme: "dark" });
  await ann.getByText("bob joined").waitFor();

  await bob.getByLabel("Message", { exact: true }).pressSequentially("hel");
  await ann.getByText("bob is typing").waitFor();
  await say(bob, "hello <b>ann</b>");
  await ann.getByText("hello <b>ann</b>").waitFor(); // as text, not as markup
  assert.equal(await ann.getByText("bob is typing").count(), 0);
  await say(ann, "hi bob");
  await bob.getByText("hi bob").waitFor();
  if (process.env.SCREENSHOTS) {
    await ann.screenshot({ path: join(process.env.SCREENSHOTS, "ann.png") });
    await bob.screenshot({ path: join(process.env.SCREENSHOTS, "bob.png") });
  }

  await bob.getByRole("button", { name: "random" }).click();
  await ann.getByText("bob left").waitFor();
  await bob.getByText("you are in random").waitFor();
  await say(ann, "gone?");
  await ann.getByText("gone?").waitFor();
  await bob.getByRole("button", { name: "general" }).click();
  await bob.getByText("gone?").waitFor(); // from the history
  assert.deepEqual([...ann.faults, ...bob.faults], []);
  await ann.context().close();
  await bob.context().close();
});

test("the page comes back after a restart", async () => {
  const ann = await visit("ann");
  const addr = server.addr;
  server.kill("SIGTERM");
  assert.equal(await server.ended, 0, "the server drains and ends with 0");
  await ann.getByText("Connection lost").waitFor();
  server = await serve(addr);
  await ann.getByRole("status").waitFor({ state: "hidden", timeout: 20_000 });
  await say(ann, "back again");
  await ann.getByText("back again").waitFor();
  assert.deepEqual(ann.faults, []);
  await ann.context().close();
});
