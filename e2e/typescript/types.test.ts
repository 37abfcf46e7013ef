// What the compiler and linters of a program say of generated modules.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ESLint } from "eslint";
import ts from "typescript";
import tseslint from "typescript-eslint";

import { type Client, isError, type GetItemErrors, ServerError } from "../../golden/rpc/rpc/client.gen.ts";
import { root } from "./generated.ts";

const modules = ["golden/rpc/rpc/client.gen.ts", "golden/unions/unions/client.gen.ts", "golden/enums/enums/client.gen.ts", "golden/history/history/react.gen.ts"].map((name) => root + name);

test("codes and options that are not there do not compile", () => {
  // tsc checks this file: a line without an error below its mark would be one.
  const calls = (client: Client, error: unknown): unknown => [
    isError(error, "NO_SUCH_ITEM"),
    isError(error, "UNAVAILABLE"),
    // @ts-expect-error: a slip
    isError(error, "NO_SUCH_ITME"),
    client.count({ to: 1 }, { onProgress: (value) => value.at }),
    // @ts-expect-error: it has no progress
    client.getItem({ id: 1 }, { onProgress: () => undefined }),
  ];
  assert.equal(typeof calls, "function");
  const code: GetItemErrors = "NO_SUCH_ITEM";
  assert.ok(isError(new ServerError(code, "gone"), code));
  assert.equal(new ServerError("OF_A_HANDLER", "any code may come").code, "OF_A_HANDLER");
});

test("declarations can be made of each module alone", () => {
  for (const fileName of modules) {
    const { diagnostics = [] } = ts.transpileDeclaration(readFileSync(fileName, "utf8"), {
      fileName, reportDiagnostics: true, compilerOptions: { strict: true, isolatedDeclarations: true, target: ts.ScriptTarget.ES2022 },
    });
    assert.deepEqual(diagnostics.map((d) => ts.flattenDiagnosticMessageText(d.messageText, "\n")), [], fileName);
  }
});

test("linters leave generated modules alone, whatever their rules are", async () => {
  const lint = async (allowInlineConfig: boolean): Promise<number> => {
    const config = { files: ["**/*.ts"], languageOptions: { parser: tseslint.parser }, linterOptions: { reportUnusedDisableDirectives: "off" }, rules: { "id-length": "error", "no-undefined": "error" } };
    const eslint = new ESLint({ cwd: root, overrideConfigFile: true, overrideConfig: config as never, allowInlineConfig });
    return (await eslint.lintFiles(modules)).flatMap((r) => r.messages).length;
  };
  assert.equal(await lint(true), 0);
  assert.ok(await lint(false) > 0, "these rules find nothing anyhow");
});
