// The TypeScript in the documents compiles: `ts` against the clients of the protocols before it, `typescript` against ws-kit, which it
// shows for comparison.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

const root = new URL("../..", import.meta.url).pathname;
const folder = join(root, "e2e", ".docs"); // below the packages that the snippets import
after(() => { rmSync(folder, { recursive: true, force: true }); });

const wsKit = join(folder, "ws-kit");

// What the snippets use of packages of ws-kit that cannot be installed.
const declarations = `
declare module "@ws-kit/client/zod" {
  import type { InferMessage, InferPayload, AnySchema } from "@ws-kit/zod";
  export interface Client {
    connect(): Promise<void>;
    on<S extends AnySchema>(schema: S, listener: (message: InferMessage<S>) => void): () => void;
    send<S extends AnySchema>(schema: S, payload: InferPayload<S>): boolean;
  }
  export function wsClient(options: { url: string; auth?: { getToken?: () => string } }): Client;
}
declare module "@ws-kit/cloudflare" {
  import type { ConnectionData, Router } from "@ws-kit/core";
  export interface DurableObjectStub { fetch(input: Request | string, init?: RequestInit): Promise<Response> }
  export interface DurableObjectNamespace { get(id: string): DurableObjectStub; idFromName(name: string): string }
  export function topicToDoName(topic: string, shards: number): string;
  export function getShardedStub(env: { ROUTER: DurableObjectNamespace }, topic: string, shards: number): DurableObjectStub;
  export function federate(namespace: DurableObjectNamespace, ids: string[], action: (shard: DurableObjectStub) => Promise<void>): Promise<PromiseSettledResult<void>[]>;
  export function createDurableObjectHandler<T extends ConnectionData>(
    router: Router<T>, options: { authenticate(request: Request): T | undefined },
  ): { fetch(request: Request): Response | Promise<Response> };
}
`;

for (const name of ["README.md", "docs/typescript.md", "docs/from-ws-kit.md"]) {
  test(name, () => {
    const text = readFileSync(join(root, name), "utf8");
    let program = "";
    let snippets = 0;
    for (const [, lang = "", code = ""] of text.matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
      if (lang === "yaml" && code.includes("wsgen: 1")) {
        program = join(folder, name.replaceAll("/", "-"), String(snippets));
        mkdirSync(program, { recursive: true });
        writeFileSync(join(program, "messages.yaml"), code);
        execFileSync("go", ["run", "./cmd/wsgen", "generate", "--docs=false", join(program, "messages.yaml")], { cwd: root });
      } else if (lang === "ts" || lang === "tsx") {
        assert.ok(program, "TypeScript before any protocol");
        writeFileSync(join(program, `snippet${++snippets}.${lang}`), code);
      } else if (lang === "typescript") {
        const file = /^\/\/ ([\w-]+\.ts)/.exec(code)?.[1];
        assert.ok(file, "the first line of a module of ws-kit names it");
        mkdirSync(wsKit, { recursive: true });
        writeFileSync(join(wsKit, file), code);
      }
    }
    assert.ok(snippets > 0, "no TypeScript");
  });
}

test("they compile", () => {
  writeFileSync(join(wsKit, "packages.d.ts"), declarations);
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({
    extends: "../tsconfig.json",
    compilerOptions: { jsx: "react-jsx", types: [], noPropertyAccessFromIndexSignature: false, paths: {} },
    include: ["**/*.ts", "**/*.tsx"],
  }));
  try {
    execFileSync(join(root, "e2e/node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
  } catch (error) {
    assert.fail((error as { stdout: string }).stdout);
  }
});
