// A Go program of this repository as a server: built, started, and known by the address that it prints.
import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export const root = new URL("..", import.meta.url).pathname;

/** Builds a package into a file. */
export const goBuild = (pkg, binary) => execFileSync("go", ["build", "-o", binary, pkg], { cwd: root, stdio: "inherit" });

/** Starts a server. Its process has addr, what it printed, and ended, a promise of its exit code. */
export async function start(binary, args, stderr = "inherit") {
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", stderr] });
  child.ended = new Promise((resolve) => child.once("exit", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const m = /http:\/\/(\S+)/.exec(line);
    if (m) return Object.assign(child, { addr: m[1] });
  }
  throw new Error("the server does not start");
}

/** Ends a server with a signal, and returns its exit code. */
export function stop(child, signal = "SIGTERM") {
  child.kill(signal);
  return child.ended;
}
