// What the chat page says of what it may not do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chat, entered, leave, line, link, message, open, say, status, texts, until, useChat, visit } from "./chat.mjs";

useChat();

const refusal = (code, text) => JSON.stringify({ type: "ERROR", payload: { code, message: text, retryable: false } });

test("a name that the server refuses is said, and another one works", { timeout: 120_000 }, async () => {
  const page = await open();
  await page.addInitScript(() => sessionStorage.setItem("user", "x".repeat(50)));
  await page.goto(`http://${chat.server.addr}/`);
  await status(page, /^The server does not let this name in: .*40 characters/);
  assert.equal(await page.getByRole("button", { name: "Send" }).isDisabled(), true);
  await message(page).fill("what one has written stays");
  await page.keyboard.press("Enter");
  await page.getByLabel("Your name").fill("ann");
  await page.getByRole("button", { name: "Connect again" }).click();
  await entered(page, "general");
  assert.equal(await page.getByRole("button", { name: "Connect again" }).isVisible(), false);
  await message(page).press("Enter");
  await line(page, "what one has written stays").waitFor();
  await leave(page);
});

test("a token that expires is got anew without a word; of one that is stale again and again the page says so", { timeout: 120_000 }, async () => {
  const { addr } = chat.server;
  await chat.stop("SIGTERM");
  await chat.serve(addr, "--tokens", "6s"); // longer than it takes to forget a failure
  const page = await visit("ann", { room: "tokens" });
  const stale = (await (await fetch(`http://${addr}/token?user=ann`)).text()).trim();
  await say(page, "before");
  await line(page, "before").waitFor();
  const another = page.waitForEvent("websocket");
  await another; // the server has closed the first one with 4401
  await say(page, "after");
  await line(page, "after").waitFor();
  assert.deepEqual(await texts(page), ["before", "after"]);

  let asked = 0;
  await page.route(/\/token\?/, (route) => (asked++, route.fulfill({ body: stale })));
  await status(page, "The server does not let this name in: the token has expired");
  assert.equal(asked, 1, "anew once: the first one was good when it was given");
  await page.unroute(/\/token\?/);
  await page.getByRole("button", { name: "Connect again" }).click();
  await entered(page, "tokens");
  await leave(page);
  await chat.stop("SIGTERM");
  await chat.serve(addr);
});

test("a server that does not say who one is, is asked again", { timeout: 120_000 }, async () => {
  const page = await open();
  await page.route(/\/token\?/, (route) => route.fulfill({ status: 404, body: "not here" }));
  await page.goto(`http://${chat.server.addr}/`);
  await status(page, "The server does not say who you are: its answer was 404. Trying again…");
  await page.unroute(/\/token\?/);
  await entered(page, "general");
  await until(page, () => document.getElementById("status").textContent === "");
  await leave(page);
});

test("a room that the server has no time for is opened a little later", { timeout: 120_000 }, async () => {
  const page = await open();
  let busy = 3;
  await page.routeWebSocket(/\/ws$/, (ws) => {
    const server = ws.connectToServer();
    ws.onMessage((frame) => {
      const { type, meta } = JSON.parse(frame);
      if (type === "GET_HISTORY" && busy-- > 0) {
        const payload = { code: "RESOURCE_EXHAUSTED", message: "busy", retryable: true, retryAfterMs: 100 };
        ws.send(JSON.stringify({ type: "RPC_ERROR", meta: { correlationId: meta.correlationId }, payload }));
      } else {
        server.send(frame);
      }
    });
  });
  await page.goto(`http://${chat.server.addr}/#/rush`);
  await page.getByText("The server has too much to do. Trying again…").waitFor();
  await entered(page, "rush");
  await leave(page);
});

// guarded opens a page whose server refuses some frames.
async function guarded(user, room, refused) {
  const page = await open();
  await page.routeWebSocket(/\/ws$/, (ws) => {
    const server = ws.connectToServer();
    ws.onMessage((frame) => {
      const why = refused(JSON.parse(frame));
      if (why === undefined) {
        server.send(frame);
      } else {
        ws.send(why);
      }
    });
  });
  await page.addInitScript((name) => sessionStorage.setItem("user", name), user);
  await page.goto(`http://${chat.server.addr}/#/${room}`);
  await entered(page, room);
  return page;
}

test("a room that one may not enter says so, and nothing is said in it", { timeout: 120_000 }, async () => {
  let full = true;
  const sent = [];
  const ann = await guarded("ann", "hall", ({ type, payload }) => {
    if (type === "ROOM_MESSAGE") sent.push(payload.text);
    return full && type === "JOIN_ROOM" && payload.roomId === "vault" ? refusal("PERMISSION_DENIED", "the vault is full") : undefined;
  });
  await say(ann, "said in the hall");
  await line(ann, "said in the hall").waitFor();
  await ann.evaluate(() => { location.hash = "#/vault"; });
  await ann.getByText("You are not in vault: the vault is full").waitFor();
  assert.equal(await ann.getByText("said in the hall").count(), 0);
  await say(ann, "for the vault");
  await ann.getByText("not sent yet").waitFor();
  full = false;
  await ann.getByRole("button", { name: "Retry" }).click();
  await line(ann, "for the vault").waitFor();
  assert.deepEqual(sent, ["said in the hall", "for the vault"]);
  await link(ann, "hall").click();
  await line(ann, "said in the hall").waitFor();
  assert.deepEqual(await texts(ann), ["said in the hall"]);
  await leave(ann);
});

test("a message that the server refuses does not keep the next one from being sent", { timeout: 120_000 }, async () => {
  let strict = true;
  const ann = await guarded("ann", "rules", ({ type, payload }) => strict && type === "ROOM_MESSAGE" && payload.text.startsWith("bad") ? refusal("PERMISSION_DENIED", "no bad words") : undefined);
  for (const text of ["bad one", "good", "bad two"]) {
    await say(ann, text);
  }
  await line(ann, "good").waitFor();
  const refused = (text) => ann.locator("#lines .refused").filter({ hasText: text });
  await refused("bad two").getByText("not sent: no bad words").waitFor();
  await link(ann, "random").click();
  await entered(ann, "random");
  await ann.goBack(); // they are kept until somebody decides
  await refused("bad one").getByRole("button", { name: "Discard" }).click();
  strict = false;
  await refused("bad two").getByRole("button", { name: "Retry" }).click();
  await line(ann, "bad two").waitFor();
  assert.deepEqual(await texts(ann), ["good", "bad two"]);
  assert.equal(await ann.locator("#lines .refused").count(), 0);
  await leave(ann);
});

test("a browser that keeps nothing for the page does not stop it", async () => {
  const page = await open();
  await page.addInitScript(() => Object.defineProperty(window, "sessionStorage", { get() { throw new DOMException("denied", "SecurityError"); } }));
  await page.goto(`http://${chat.server.addr}/#/private`);
  await entered(page, "private");
  await say(page, "all the same");
  await line(page, "all the same").waitFor();
  await leave(page);
});

test("an address that nobody can read leads to the room that one was in", async () => {
  const page = await visit("ann", { room: "here" });
  for (const hash of ["#/%E0%A4%A", `#/${"x".repeat(65)}`, "#log", "#/"]) {
    await page.evaluate((to) => { location.hash = to; }, hash);
  }
  await say(page, "still here");
  await line(page, "still here").waitFor();
  await page.getByRole("heading", { name: "here" }).waitFor();
  await leave(page);
});
