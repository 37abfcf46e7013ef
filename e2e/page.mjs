// Builds the chat's page into a folder: node page.mjs <folder>.
import { build } from "vite";

const root = new URL("../examples/chat/web", import.meta.url).pathname;

export async function buildPage(folder) {
  await build({ root, logLevel: "warn", configFile: `${root}/vite.config.ts`, build: { outDir: folder, emptyOutDir: true } });
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  await buildPage(process.argv[2]);
}
