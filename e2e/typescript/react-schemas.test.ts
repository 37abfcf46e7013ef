// The hooks of protocols with and without rooms, histories and presence: they have what the protocol has, and nothing that is not used.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

const root = new URL("../..", import.meta.url).pathname;
const folder = join(root, "e2e/.react/schemas"); // below the packages that the hooks import
after(() => { rmSync(folder, { recursive: true, force: true }); });

const schemas = {
  bare: { yaml: "clientToServer: {A: {b: string}}", hooks: [] },
  rooms: { yaml: "sharding: {key: b}\nclientToServer: {A: {b: string}}\nserverToClient: {C: {d: string}}", hooks: ["useRoom"] },
  history: { yaml: "sharding: {key: {new-table: b}, history: true}\nclientToServer: {A: {b: string}}", hooks: ["useRoom", "useGap"] },
  presence: { yaml: "sharding: {key: {x: b, y: c}, presence: true}\nclientToServer: {A: {b: string}, D: {c: int}}", hooks: ["useRoom", "usePresence"] },
};

test("they have what the protocol has, and compile", () => {
  rmSync(folder, { recursive: true, force: true });
  for (const [name, { yaml, hooks }] of Object.entries(schemas)) {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "messages.yaml"), `wsgen: 1\nname: ${name}\nts: {react: true}\n${yaml}\n`);
    execFileSync("go", ["run", "./cmd/wsgen", "generate", "--docs=false", "--out", path, join(path, "messages.yaml")], { cwd: root });
    const text = readFileSync(join(path, "react.gen.ts"), "utf8");
    const exported = [...text.matchAll(/^export function (\w+)/gm)].map(([, hook]) => hook);
    assert.deepEqual(exported, ["useConnection", "useConnectionError", "useMessage", "useRequest", ...hooks]);
  }
  writeFileSync(join(folder, "topics.ts"), `
    import { newTableTopic } from "./history/client.gen.js";
    import { xTopic, yTopic } from "./presence/client.gen.js";
    export const topics: ["new-table:a", "x:1", \`y:\${string}\`] = [newTableTopic("a") as "new-table:a", xTopic(1n) as "x:1", yTopic(2)];
    // @ts-expect-error another kind
    export const other: \`x:\${string}\` = yTopic(2);
  `);
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({
    extends: "../../tsconfig.json", compilerOptions: { types: [], paths: {}, skipLibCheck: true }, include: ["**/*.ts"],
  }));
  try {
    execFileSync(join(root, "e2e/node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
  } catch (error) {
    assert.fail((error as { stdout: string }).stdout);
  }
});
