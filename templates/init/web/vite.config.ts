// The server embeds dist/, so names do not change from build to build. `npm run dev` shows the page while it is written: it asks
// the server on port 8080.
const server = "http://127.0.0.1:8080";

export default {
  base: "./",
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    rollupOptions: { output: { entryFileNames: "page.js", assetFileNames: "page.[ext]" } },
  },
  server: { proxy: { "/ws": { target: server, ws: true }, "/token": { target: server } } },
} satisfies import("vite").UserConfig;
