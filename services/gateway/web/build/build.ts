// Builds every page into the gateway's package, and compresses what compresses.

import { cp, mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { compressAll } from "./compress.ts";

const WEB = fileURLToPath(new URL("..", import.meta.url));
const OUT = fileURLToPath(new URL("../../src/rondo_gateway/web", import.meta.url));

/** Workspaces with a `vite.config.ts`; each is built into the folder of its name. */
const PAGES = ["widget", "inbox"];

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT, { recursive: true });
for (const page of PAGES) {
  await build({
    root: `${WEB}/${page}`,
    configFile: `${WEB}/${page}/vite.config.ts`,
    logLevel: "warn",
    build: { outDir: `${OUT}/${page}`, emptyOutDir: true },
  });
}
await cp(`${WEB}/demo`, `${OUT}/demo`, { recursive: true });
await compressAll(OUT);
