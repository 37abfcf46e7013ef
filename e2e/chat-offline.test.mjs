// The chat page without a network.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cable, chat, entered, leave, line, link, message, open, say, status, texts, until, useChat, visit } from "./chat.mjs";

useChat();

const online = (page) => page.evaluate(() => window.dispatchEvent(new Event("online")));

test("what is typed without a network is sent when it is back", { timeout: 120_000 }, async () => {
  const wire = await cable();
  const ann = await visit("ann", { room: "train", addr: wire.addr });
  const bob = await visit("bob", { room: "train" });
  await say(ann, "before the tunnel");
  await line(bob, "before the tunnel").waitFor();
  wire.pull();
  await status(ann, "Connection lost");
  await say(ann, "in the tunnel");
  await ann.getByText("not sent yet").waitFor();
  await say(bob, "meanwhile outside");
  await line(bob, "meanwhile outside").waitFor();
  assert.equal(await bob.getByText("in the tunnel").count(), 0);
  wire.plug();
  await online(ann);
  await line(bob, "in the tunnel").waitFor();
  await line(ann, "in the tunnel").waitFor();
  assert.deepEqual(await texts(ann), ["before the tunnel", "meanwhile outside", "in the tunnel"]);
  assert.equal(await ann.getByText("not sent yet").count(), 0);
  assert.equal(await ann.locator("#banner").evaluate((banner) => banner.classList.contains("shown")), false);
  await leave(ann, bob);
});

test("a room that is opened without a network shows no other room's messages, and keeps what is written in it", { timeout: 120_000 }, async () => {
  const wire = await cable();
  const ann = await visit("ann", { room: "platform", addr: wire.addr });
  const bob = await visit("bob", { room: "platform" });
  await say(bob, "said on the platform");
  await line(ann, "said on the platform").waitFor();
  wire.pull();
  await status(ann, "Connection lost");
  await say(ann, "for the platform");
  await link(ann, "random").click();
  await ann.getByText("random opens when you are connected").waitFor();
  assert.deepEqual(await ann.locator("#lines .message").count(), 0);
  assert.equal(await ann.locator("#members").isVisible(), false, "nor its members");
  await say(ann, "for random");
  await ann.getByRole("link", { name: "platform (1 unsent)" }).waitFor(); // what belongs to a room stays with it
  wire.plug();
  await online(ann);
  await line(ann, "for random").waitFor();
  assert.equal(await bob.getByText("for random").count(), 0);
  await ann.getByRole("link", { name: "platform (1 unsent)" }).click();
  await line(bob, "for the platform").waitFor();
  await line(ann, "said on the platform").waitFor();
  assert.equal(await ann.getByText("unsent").count(), 0);
  await leave(ann, bob);
});

test("what is not sent outlives loading the page again", { timeout: 120_000 }, async () => {
  const wire = await cable();
  const ann = await visit("ann", { room: "reload", addr: wire.addr });
  const bob = await visit("bob", { room: "reload" });
  let asked = 0;
  ann.on("dialog", (dialog) => { asked += Number(dialog.type() === "beforeunload"); });
  await ann.route(/\/token\?/, (route) => route.fulfill({ status: 503 })); // the page is there, but no way in
  wire.pull();
  await status(ann, "Connection lost");
  for (const text of ["first", "second"]) {
    await say(ann, text);
  }
  wire.plug();
  await status(ann, "its answer was 503");
  await ann.reload();
  assert.equal(asked, 1, "the browser asks first");
  await ann.getByText("not sent yet").first().waitFor();
  assert.deepEqual(await ann.locator("#lines .waits .text").allTextContents(), ["first", "second"]);
  await ann.unroute(/\/token\?/);
  await line(bob, "second").waitFor();
  await line(ann, "second").waitFor();
  assert.deepEqual(await texts(bob), ["first", "second"]);
  assert.deepEqual(await texts(ann), ["first", "second"]);
  await ann.reload();
  assert.equal(asked, 1, "there is nothing to ask about any more");
  await entered(ann, "reload");
  await leave(ann, bob);
});

test("the page says at once that the browser is offline", async () => {
  const ann = await visit("ann", { room: "plane" });
  await ann.context().setOffline(true);
  await status(ann, "You are offline");
  await ann.context().setOffline(false);
  await until(ann, () => document.getElementById("status").textContent === "");
  await say(ann, "landed");
  await line(ann, "landed").waitFor();
  await leave(ann);
});

test("a link that is dead without anybody saying so is noticed, and left", { timeout: 120_000 }, async () => {
  const wire = await cable();
  const ann = await visit("ann", { room: "hole", addr: wire.addr });
  const bob = await visit("bob", { room: "hole" });
  await say(ann, "before");
  await line(bob, "before").waitFor();
  wire.swallow();
  await say(ann, "into the hole");
  await ann.getByText("not sent yet").waitFor(); // after a while in which nothing came back
  await say(bob, "meanwhile");
  await line(bob, "into the hole").waitFor();
  await line(ann, "into the hole").waitFor();
  assert.deepEqual(await texts(ann), ["before", "meanwhile", "into the hole"]);
  await leave(ann, bob);
});

test("a connection that breaks while a room loads opens the room when it is back", { timeout: 120_000 }, async () => {
  const wire = await cable();
  const bob = await visit("bob", { room: "random" });
  await say(bob, "said in random");
  const ann = await open();
  let held = false;
  await ann.routeWebSocket(/\/ws$/, (ws) => {
    const server = ws.connectToServer();
    ws.onMessage((frame) => {
      if (held && frame.includes("GET_HISTORY")) {
        held = false;
        wire.pull(); // before the answer
        return;
      }
      server.send(frame);
    });
  });
  await ann.addInitScript(() => sessionStorage.setItem("user", "ann"));
  await ann.goto(`http://${wire.addr}/#/lounge`);
  await entered(ann, "lounge");
  await say(ann, "said in the lounge");
  await line(ann, "said in the lounge").waitFor();
  held = true;
  await link(ann, "random").click();
  await status(ann, "Connection lost");
  assert.equal(await ann.getByText("said in the lounge").count(), 0);
  wire.plug();
  await line(ann, "said in random").waitFor();
  await entered(ann, "random");
  await message(ann).fill("and");
  await bob.getByText("ann is typing").waitFor();
  await leave(ann, bob);
});
