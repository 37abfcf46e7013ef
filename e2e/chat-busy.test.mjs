// The chat page where much is said.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bot, entered, leave, line, link, message, until, useChat, visit } from "./chat.mjs";

useChat();

test("two hundred messages a second leave the page usable, for as long as they come", { timeout: 150_000 }, async (t) => {
  const page = await visit("reader", { room: "busy" });
  const talkers = await Promise.all(Array.from({ length: 10 }, (_, i) => bot(`t${i}`, "busy")));
  await page.evaluate(() => {
    const seen = (window.seen = { longest: 0, drawn: 0, most: 0 });
    let [before, last] = [performance.now(), null];
    const frame = (now) => {
      const lines = document.getElementById("lines");
      seen.longest = Math.max(seen.longest, now - before);
      seen.most = Math.max(seen.most, lines.children.length);
      seen.drawn += Number(lines.lastChild !== last);
      [before, last] = [now, lines.lastChild];
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  let said = 0;
  const from = Date.now();
  const flood = setInterval(() => talkers.forEach((talker) => talker.say(`m${said++}`)), 50); // as fast as the rate of each allows
  t.after(() => clearInterval(flood));
  await line(page, "m99").waitFor();
  const text = message(page);
  for (let i = 0; said < 4600; i++) { // until more was said than the page keeps, twice
    await text.pressSequentially("and me, in the middle of it");
    assert.equal(await text.inputValue(), "and me, in the middle of it", "what is typed is there");
    await text.fill(`mine ${i}`);
    await page.keyboard.press("Enter");
    await until(page, (mine) => [...document.querySelectorAll("#lines .mine:not(.waits) .text")].some((words) => words.textContent === mine), `mine ${i}`);
  }
  assert.ok(await page.evaluate(() => { const log = document.getElementById("log"); return log.scrollHeight - log.scrollTop - log.clientHeight < 200; }), "the page follows");

  await page.locator("#log").press("PageUp"); // to read what was said
  await until(page, () => !document.getElementById("newer").hidden);
  await until(page, () => { // the page has come to rest
    const { scrollTop } = document.getElementById("log");
    const rests = scrollTop === window.before;
    window.before = scrollTop;
    return rests;
  }, undefined, { polling: 200 });
  const place = () => page.evaluate(() => {
    const log = document.getElementById("log").getBoundingClientRect();
    return document.elementFromPoint(log.left + 60, log.top + 60)?.closest("li")?.textContent;
  });
  const there = await place();
  const then = said;
  await until(page, (n) => [...document.querySelectorAll("#lines .text")].slice(-200).some((words) => Number(words.textContent.slice(1)) > n), then + 200);
  assert.equal(await place(), there, "what one reads stays where it is");

  await link(page, "random").click(); // away from it, and back
  await entered(page, "random");
  await link(page, "busy").click();
  await entered(page, "busy");
  const back = said;
  await until(page, (n) => [...document.querySelectorAll("#lines .text")].slice(-200).some((words) => Number(words.textContent.slice(1)) > n), back + 400);
  clearInterval(flood);
  const { longest, drawn, most } = await page.evaluate(() => window.seen);
  assert.ok(drawn > 50, `the page was drawn ${drawn} times only`);
  assert.ok(most >= 2000 && most <= 4100, `${most} lines at most`);
  t.diagnostic(`${said} messages in ${Math.round((Date.now() - from) / 1000)} s, drawn in ${drawn} frames; the longest time without a frame: ${Math.round(longest)} ms; ${most} lines at most`);
  talkers.forEach((talker) => talker.leave());
  await leave(page);
});
