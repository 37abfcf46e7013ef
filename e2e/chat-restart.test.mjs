// The chat page while the server is restarted, and while it is killed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chat, leave, status, texts, until, useChat, visit } from "./chat.mjs";

useChat();

// Ten pages, of a hundred numbers each: those of page i begin at i*each.
const each = 100;

// numbers returns the numbered messages that a page shows, in its order.
const numbers = async (page) => (await texts(page)).map((text) => /^n(\d+)$/.exec(text)?.[1]).filter(Boolean).map(Number);

// type lets a page say its numbers, one after the other, as fast as it takes them.
const type = (page, i, from, to) => page.evaluate(([first, last]) => {
  const [form, input] = ["say", "text"].map((id) => document.getElementById(id));
  for (let n = first; n < last; n++) {
    input.value = `n${n}`;
    form.requestSubmit();
  }
}, [i * each + from, i * each + to]);

// talk lets ten pages say a thousand numbers, while a signal ends the server in the middle; it starts again after a while. before is
// what each page showed meanwhile.
async function talk(room, signal) {
  const pages = await Promise.all(Array.from({ length: 10 }, (_, i) => visit(`p${i}`, { room })));
  await Promise.all(pages.map((page, i) => type(page, i, 0, 40)));
  await until(pages[0], () => document.querySelectorAll("#lines .message:not(.waits)").length >= 100);
  const { code, start } = await chat.stop(signal); // while they talk
  await Promise.all(pages.map((page) => status(page, "Connection lost")));
  const before = await Promise.all(pages.map(numbers));
  await Promise.all(pages.map((page, i) => type(page, i, 40, 60))); // during the outage
  await start();
  await Promise.all(pages.map((page, i) => type(page, i, 60, each)));
  return { pages, code, before };
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
    await until(page, () => document.querySelectorAll("#lines .message:not(.waits)").length >= 1000 && document.querySelector("#lines .waits") === null);
  }
  const order = await numbers(pages[0]);
  assert.equal(order.length, 1000);
  wantOwnOrder(order);
  for (const page of pages) {
    assert.deepEqual(await numbers(page), order, "every page shows the same");
    assert.equal(await page.locator("#lines .gap").count(), 0);
  }
  await leave(...pages);
});

test("a server that is killed while ten pages talk loses something, and every page that misses it says so", { timeout: 300_000 }, async (t) => {
  const { pages, before } = await talk("crash", "SIGKILL");
  for (const page of pages) { // what was typed in the outage and after it arrives everywhere
    await until(page, (all) => {
      const shown = new Set([...document.querySelectorAll("#lines .message:not(.waits) .text")].map((text) => text.textContent));
      return all.every((n) => shown.has(`n${n}`)) && document.querySelector("#lines .waits") === null;
    }, pages.flatMap((_, i) => Array.from({ length: 60 }, (_, n) => i * each + 40 + n)));
  }
  const shown = await Promise.all(pages.map(numbers));
  for (const [i, order] of shown.entries()) {
    wantOwnOrder(order);
    assert.deepEqual(order.slice(0, before[i].length), before[i], "what was read stays where it is");
    const notes = await pages[i].locator("#lines .gap").evaluateAll((gaps) => gaps.map((gap) => {
      const lines = [...gap.parentNode.children];
      return { text: gap.textContent, after: lines.slice(0, lines.indexOf(gap)).filter((line) => line.classList.contains("message")).length };
    }));
    assert.ok(order.length === 1000 || notes.length > 0, `page ${i} shows ${order.length} of 1000 and says nothing of it`);
    assert.deepEqual(notes, notes.length === 0 ? [] : [{ text: "— Messages may be missing here: the server was restarted —", after: before[i].length }], "once, where it is");
  }
  assert.ok((await pages[0].locator("#lines .gap").count()) > 0, "this one was there before, and says so");
  t.diagnostic(`the pages show ${shown.map((order) => order.length).join(", ")} of 1000`);
  await leave(...pages);
});
