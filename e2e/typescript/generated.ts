// Clients that are generated for a test.
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

export const root = new URL("../..", import.meta.url).pathname;

/** A new folder that is there until the tests of the file are over. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "wsgen-test-"));
  after(() => { rmSync(path, { recursive: true, force: true }); });
  return path;
}

/** The path of a module with the client of a protocol, whose file begins after its version and name, and with more code behind it. */
export function generate(yaml: string, more = ""): string {
  const at = folder();
  writeFileSync(join(at, "messages.yaml"), `wsgen: 1\nname: Test\n${yaml}`);
  execFileSync("go", ["run", "./cmd/wsgen", "generate", "--docs=false", "--out", at, join(at, "messages.yaml")], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  renameSync(join(at, "client.gen.ts"), join(at, "client.mts"));
  appendFileSync(join(at, "client.mts"), more);
  return join(at, "client.mts");
}
