// The chat page as it is seen and heard: on phones, in the dark, with many of everything, by screen readers.
import assert from "node:assert/strict";
import { test } from "node:test";
import axe from "axe-core";
import { bot, cable, chat, entered, leave, line, link, message, open, say, status, until, useChat, visit } from "./chat.mjs";

const long = `${"very-".repeat(11)}long`; // 59 characters
const wide = "W".repeat(40);
let wire;

useChat(async () => {
  wire = await cable();
  await Promise.all(Array.from({ length: 49 }, (_, i) => bot(`${i}-`.padEnd(40, "member"), "full")));
  const talker = await bot("talker", "full");
  for (let i = 0; i < 72; i++) {
    talker.say(i % 9 === 0 ? `${"a rather long line ".repeat(10)}${"g".repeat(90)}` : `line ${i}`);
    await new Promise((resolve) => { setTimeout(resolve, 50); }); // as fast as its rate allows
  }
});

// crowded opens the page where there is much of everything: members, rooms, long names, and messages that are not sent.
async function crowded(options) {
  const page = await open(options);
  await page.addInitScript(([user, rooms]) => {
    sessionStorage.setItem("user", user);
    sessionStorage.setItem("rooms", rooms);
  }, [wide, JSON.stringify([long, ...Array.from({ length: 29 }, (_, i) => `room number ${i}`)])]);
  await page.goto(`http://${wire.addr}/#/full`);
  await entered(page, "full");
  await page.getByText(/^5[01] here/).waitFor();
  wire.pull();
  await status(page, "Connection lost");
  await say(page, "not on its way");
  await page.getByText("not sent yet").waitFor();
  wire.plug();
  return page;
}

async function wantAccessible(page, where) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary}`)]), [], where);
}

// wantFits wants nothing to stick out, and what one needs to be in view and large enough for a finger.
async function wantFits(page, where) {
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${where}: nothing sticks out`);
  for (const box of ["#text", "#send", "#more", "#log"]) {
    const inside = await page.locator(box).evaluate((element) => {
      const { left, right, top, bottom, height } = element.getBoundingClientRect();
      return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight && height >= 40;
    });
    assert.ok(inside, `${where}: ${box} is in view`);
  }
}

const cases = {
  "a phone in the light": { viewport: { width: 360, height: 640 }, colorScheme: "light" },
  "a phone in the dark": { viewport: { width: 360, height: 640 }, colorScheme: "dark" },
  "a small phone": { viewport: { width: 320, height: 568 }, colorScheme: "light" },
  "a desk": { viewport: { width: 1440, height: 900 }, colorScheme: "dark" },
  "forced colours": { viewport: { width: 800, height: 700 }, forcedColors: "active" },
};
for (const [where, options] of Object.entries(cases)) {
  test(`fifty members, thirty rooms, long names, a banner and unsent messages fit ${where}`, { timeout: 120_000 }, async () => {
    const page = await crowded(options);
    wire.pull(); // so that the banner stays
    await status(page, "Connection lost");
    await wantFits(page, where);
    assert.ok(await page.locator("#log").evaluate((log) => log.clientHeight > 100), `${where}: there is room to read`);
    await wantAccessible(page, where);
    await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${where}: nor in letters twice as large`);
    wire.plug();
    await leave(page);
  });
}

test("the colours that one sets for all pages show which room it is", async () => {
  const page = await visit("ann", { room: "random", forcedColors: "active" });
  const colours = await page.locator("#rooms a").evaluateAll((links) => links.map((each) => getComputedStyle(each).backgroundColor));
  assert.equal(colours.filter((colour) => colour === colours[1]).length, 1, `${colours}: one room looks unlike the others`);
  await leave(page);
});

test("a keyboard on the screen leaves the last message in view", async () => {
  const page = await visit("ann", { room: "full", viewport: { width: 390, height: 780 } });
  await say(page, "the last one");
  await line(page, "the last one").waitFor();
  await page.setViewportSize({ width: 390, height: 420 });
  await until(page, () => {
    const log = document.getElementById("log");
    return log.scrollHeight - log.scrollTop - log.clientHeight < 2;
  });
  await leave(page);
});

test("a screen reader hears what is said, once, and not what was said before", { timeout: 120_000 }, async () => {
  const page = await open();
  await page.addInitScript(() => {
    sessionStorage.setItem("user", "ann");
    window.heard = [];
    document.addEventListener("DOMContentLoaded", () => {
      const live = document.getElementById("live");
      new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => {
        if (node.nodeName === "LI" && live.ariaLive === "polite") window.heard.push(node.textContent);
      }))).observe(live, { childList: true, subtree: true });
    });
  });
  await page.goto(`http://${chat.server.addr}/#/full`);
  await entered(page, "full");
  await until(page, () => document.getElementById("live").ariaLive === "polite");
  assert.deepEqual(await page.evaluate(() => window.heard), []);
  await say(page, "now");
  await line(page, "now").waitFor();
  assert.equal((await page.evaluate(() => window.heard)).filter((text) => text.endsWith("now")).length, 1);
  const tree = await page.locator("body").ariaSnapshot();
  assert.match(tree, /- heading "full"[^]*- log "Messages"[^]*- listitem[^]*- status[^]*- textbox "Message"/, "even while it says nothing, the status is there");
  assert.match(tree, /- textbox "Your name"[^]*- button "Change"/);
  await page.getByText("Other room").click();
  await wantAccessible(page, "with a form open");
  await page.keyboard.press("Escape");
  await link(page, "random").click();
  await entered(page, "random");
  assert.equal(await page.title(), "random · Chat");
  await leave(page);
});

test("names and messages that are written from right to left are", async () => {
  const page = await visit("ann", { room: "rtl" });
  await say(page, "שלום עולם!");
  const { direction } = await line(page, "שלום עולם!").locator(".text").evaluate((text) => ({ direction: getComputedStyle(text).direction }));
  assert.equal(direction, "rtl");
  await message(page).fill("مرحبا");
  await leave(page);
});
