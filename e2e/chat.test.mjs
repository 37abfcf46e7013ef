// The chat page in a real browser, against the real server: what people do with it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chat, entered, leave, line, link, message, say, texts, until, useChat, visit } from "./chat.mjs";

useChat();

test("two pages chat, by keyboard", async () => {
  const ann = await visit("ann");
  const bob = await visit("bob", { viewport: { width: 390, height: 780 }, colorScheme: "dark" });
  await ann.getByText("bob joined", { exact: true }).waitFor();
  await ann.getByText("2 here: ann, bob").waitFor();
  await bob.getByText("2 here: ann, bob").waitFor();
  await ann.getByText(/^shard \d$/).waitFor();

  await message(bob).pressSequentially("hel");
  await ann.getByText("bob is typing").waitFor();
  await say(bob, "hello <b>ann</b>");
  await line(ann, "hello <b>ann</b>").waitFor(); // as text, not as markup
  assert.equal(await ann.getByText("bob is typing").count(), 0);
  await say(ann, "hi bob");
  await line(bob, "hi bob").waitFor();
  await say(bob, "bob left"); // he says so, and has not
  await line(ann, "bob left").waitFor();

  await link(bob, "random").focus();
  await bob.keyboard.press("Enter");
  await ann.locator(".note").getByText("bob left", { exact: true }).waitFor();
  await entered(bob, "random");
  assert.equal(await bob.evaluate(() => document.activeElement.id), "text", "one can go on typing");
  assert.equal(await bob.title(), "random · Chat");
  await bob.getByRole("heading", { name: "random" }).waitFor();
  await say(ann, "gone?");
  await line(ann, "gone?").waitFor();
  await bob.goBack();
  await line(bob, "gone?").waitFor(); // from the history
  assert.equal(await line(bob, "gone?").locator("time").getAttribute("datetime").then((time) => Math.abs(new Date(time) - new Date()) < 600_000), true);
  await leave(ann, bob);
});

test("what one writes is sent as it was written, and not cut", async () => {
  const ann = await visit("ann", { room: "desk" });
  const text = message(ann);
  await text.fill("one");
  await text.press("Shift+Enter");
  await text.pressSequentially("two");
  await text.press("Enter");
  await line(ann, "one\ntwo").waitFor();
  await text.fill("g".repeat(2003));
  await ann.getByText("3 characters too many").waitFor();
  await text.press("Enter");
  assert.equal((await text.inputValue()).length, 2003, "what is too long stays, to be made shorter");
  await text.press("Backspace");
  await text.press("Backspace");
  await text.press("Backspace");
  await ann.getByText("2000 of 2000 characters").waitFor();
  await ann.getByRole("button", { name: "Send" }).click();
  await line(ann, "g".repeat(2000)).waitFor();
  assert.equal(await ann.evaluate(() => document.activeElement.id), "text", "a tap on Send leaves the keyboard where it is");
  assert.equal(await text.inputValue(), "");
  await leave(ann);
});

test("a name changes when its owner says so", async () => {
  const ann = await visit("ann", { room: "names" });
  const bob = await visit("bob", { room: "names" });
  await ann.getByText("bob joined", { exact: true }).waitFor();
  const name = ann.getByLabel("Your name");
  await name.fill("anna");
  await name.press("Tab"); // to the button, and on
  await ann.keyboard.press("Tab");
  await name.press("Escape");
  assert.equal(await name.inputValue(), "ann");
  await name.fill("anna");
  await ann.evaluate(() => {
    window.told = [];
    new MutationObserver(() => window.told.push(document.getElementById("status").textContent)).observe(document.getElementById("status"), { childList: true });
  });
  await name.press("Enter");
  await bob.getByText("anna joined", { exact: true }).waitFor();
  await bob.getByText("ann left", { exact: true }).waitFor();
  await entered(ann, "names");
  assert.deepEqual((await ann.evaluate(() => window.told)).filter((text) => text !== ""), [], "nothing was wrong meanwhile");
  assert.equal(await bob.getByText("ann joined", { exact: true }).count(), 0);
  await say(ann, "it is me");
  await line(bob, "it is me").locator("bdi").getByText("anna", { exact: true }).waitFor();
  await leave(ann, bob);
});

test("a room is opened by name and by address, and all that was said in it can be read", { timeout: 120_000 }, async () => {
  const ann = await visit("ann", { room: "long" });
  await ann.evaluate(() => {
    for (let n = 1; n <= 130; n++) {
      document.getElementById("text").value = `n${n}`;
      document.getElementById("say").requestSubmit();
    }
  });
  await line(ann, "n130").waitFor();
  const bob = await visit("bob", { room: "general" });
  await bob.getByText("Other room").click();
  await bob.getByLabel("Name of the room").fill("long");
  await bob.keyboard.press("Enter");
  await entered(bob, "long");
  assert.equal((await texts(bob))[0], "n31");
  assert.match(bob.url(), /#\/long$/);
  await bob.getByRole("button", { name: "Load older messages" }).click();
  await line(bob, "n1").waitFor({ state: "attached" });
  assert.deepEqual(await texts(bob), Array.from({ length: 130 }, (_, i) => `n${i + 1}`));
  assert.ok(await line(bob, "n31").evaluate((element) => element.getBoundingClientRect().top >= 0), "what was read stays in view");
  assert.equal(await bob.locator(".day").count(), 1, "all was said on one day");
  assert.equal(await bob.getByRole("button", { name: "Load older messages" }).count(), 0);

  await bob.locator("#log").press("Home");
  await until(bob, () => document.getElementById("log").scrollTop === 0);
  await say(ann, "fresh");
  await bob.getByRole("button", { name: "1 new ↓" }).click();
  await until(bob, () => { const log = document.getElementById("log"); return log.scrollHeight - log.scrollTop - log.clientHeight < 2; });
  assert.equal(await bob.locator("#newer").isVisible(), false);
  await leave(ann, bob);
});

test("who is in a room can be read, however many they are", async () => {
  const people = await Promise.all(Array.from({ length: 6 }, (_, i) => visit(`somebody with a long name, number ${i}`.slice(0, 40), { room: "crowd" })));
  const [ann] = people;
  await ann.getByText("6 here").click();
  for (let i = 0; i < 6; i++) {
    await ann.locator("#all").getByText(`number ${i}`).waitFor();
  }
  await ann.keyboard.press("Escape");
  await ann.locator("#all").waitFor({ state: "hidden" });
  for (const page of people.slice(1, 5)) {
    await message(page).pressSequentially("x");
  }
  await ann.getByText("4 people are typing").waitFor();
  await leave(...people);
});

test("the picture of the chat in two windows", async () => {
  const ann = await visit("ann", { room: "tea", viewport: { width: 700, height: 600 } });
  const bob = await visit("bob", { room: "tea", viewport: { width: 360, height: 600 }, colorScheme: "dark" });
  for (const [page, text] of [[ann, "The kettle is on."], [bob, "I bring the biscuits!"], [ann, "Are there any of those with ginger?"], [bob, "A whole tin of them."]]) {
    await say(page, text);
    await Promise.all([ann, bob].map((each) => line(each, text).waitFor()));
  }
  await message(bob).pressSequentially("and");
  await ann.getByText("bob is typing").waitFor();
  const shots = await Promise.all([ann, bob].map(async (page) => (await page.screenshot()).toString("base64")));
  const both = await (await chat.browser.newContext({ viewport: { width: 1120, height: 640 } })).newPage();
  await both.setContent(`<body style="margin:0;padding:20px;display:flex;gap:20px;background:#c9d3df">${shots
    .map((data) => `<img style="border-radius:12px;box-shadow:0 4px 16px #0003" src="data:image/png;base64,${data}">`)
    .join("")}</body>`);
  if (process.env.PICTURE) { // make picture: the one in README.md
    await both.screenshot({ path: process.env.PICTURE });
  }
  await both.context().close();
  await leave(ann, bob);
});
