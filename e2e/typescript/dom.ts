// Components in a DOM, whose client's server is the test.
import { cpSync, mkdtempSync, mkdirSync, rmSync } from "node:fs";
import { after, before } from "node:test";
import { GlobalRegistrator } from "@happy-dom/global-registrator";
import { act, createElement, type FunctionComponent, StrictMode } from "react";
import { createRoot, type Root } from "react-dom/client";

import { FakeSocket, last, settle } from "./socket.ts";

// The modules are copied to where React is found.
mkdirSync(new URL("../.react", import.meta.url), { recursive: true });
const folder = mkdtempSync(new URL("../.react/test-", import.meta.url).pathname);

/** A folder for modules, which is there as long as the test. */
export function folderOf(name: string): string {
  const path = `${folder}/${name}`;
  mkdirSync(path, { recursive: true });
  return path;
}

/** The client and the hooks of a protocol. */
export async function modulesOf<Client, Hooks>(golden: string): Promise<Client & Hooks> {
  const path = folderOf(golden);
  for (const name of ["client.gen.ts", "react.gen.ts"]) {
    cpSync(new URL(`../../golden/${golden}/${golden}/${name}`, import.meta.url), `${path}/${name}`);
  }
  return { ...((await import(`${path}/client.gen.ts`)) as Client), ...((await import(`${path}/react.gen.ts`)) as Hooks) };
}

before(() => {
  GlobalRegistrator.register();
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
});
after(async () => {
  await GlobalRegistrator.unregister();
  rmSync(folder, { recursive: true, force: true });
});

/** Does something, and lets React and promises do what follows. */
export async function then(run: () => void): Promise<void> {
  await act(async () => {
    run();
    await settle();
  });
}

/** A place on the page. */
export class Page {
  readonly #root: Root;
  readonly #place = document.createElement("div");
  readonly #strict: boolean;

  constructor({ strict = false } = {}) {
    document.body.append(this.#place);
    this.#strict = strict;
    this.#root = createRoot(this.#place);
  }

  /** Shows a component. */
  async show<P extends object>(component: FunctionComponent<P>, props: P): Promise<void> {
    const element = createElement(component, props);
    await then(() => { this.#root.render(this.#strict ? createElement(StrictMode, null, element) : element); });
  }

  /** What is on it. */
  get text(): string {
    return this.#place.textContent;
  }

  async clear(): Promise<void> {
    await then(() => { this.#root.unmount(); });
    this.#place.remove();
  }
}

/** Settings of a client that is back as soon as it can. */
export const quick = { WebSocket: FakeSocket, backoff: { baseMs: 0 } };

/** Waits for the next connection of a client whose connection is down. */
export async function next(before: FakeSocket): Promise<FakeSocket> {
  while (last() === before) {
    await act(() => new Promise((resolve) => { setTimeout(resolve, 1); }));
  }
  return last();
}
