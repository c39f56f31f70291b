// How the pages are built: three entries, hashed names, a .gz and a .br beside each file; in development the API is passed on.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

/** Files that are worth compressing; pictures are so already. */
const TEXT = /\.(js|css|html|svg|json)$/;

/** Writes each text file again, compressed where that is smaller: the server only has to pick one. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      for (const name of readdirSync("dist", { recursive: true, encoding: "utf8" })) {
        if (!TEXT.test(name)) continue;
        const bytes = readFileSync(join("dist", name));
        const forms = { gz: gzipSync(bytes, { level: 9 }), br: brotliCompressSync(bytes) };
        for (const [end, form] of Object.entries(forms)) {
          if (form.length < bytes.length) writeFileSync(join("dist", `${name}.${end}`), form);
        }
      }
    },
  };
}

/** A module of dev/, by an address that is made here: building needs nothing of it, so it need not be there. */
const ofDev = (name: string) => import(new URL(`dev/${name}`, import.meta.url).href);

/** In development: the shell for every path of an app, and the API of a running server. */
function served(): Plugin {
  return {
    name: "served",
    apply: "serve",
    async configureServer(server) {
      const [{ answer }, { shellOf }] = await Promise.all(["api.mjs", "shells.mjs"].map(ofDev));
      server.middlewares.use((request, response, next) => {
        if (answer(request, response)) return;
        const shell = shellOf(request.url ?? "/");
        if (shell) request.url = `/${shell}/index.html`;
        next();
      });
    },
  };
}

export default defineConfig({
  plugins: [svelte(), compressed(), served()],
  appType: "mpa",
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: { input: { panel: "panel/index.html", portal: "portal/index.html", driver: "driver/index.html" } },
  },
});
