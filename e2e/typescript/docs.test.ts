// The TypeScript in the documents compiles against the clients of the protocols before it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

const root = new URL("../..", import.meta.url).pathname;
const folder = join(root, "e2e", ".docs"); // below the packages that the snippets import
after(() => { rmSync(folder, { recursive: true, force: true }); });

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
      }
    }
    assert.ok(snippets > 0, "no TypeScript");
  });
}

test("they compile", () => {
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
