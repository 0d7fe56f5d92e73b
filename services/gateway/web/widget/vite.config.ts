import { minify } from "terser";
import { defineConfig, type Plugin } from "vite";

/** Vite's minifier first, then another one over the whole: half a KiB smaller than either alone. */
const smallest: Plugin = {
  name: "smallest",
  async generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== "chunk") continue;
      // Statements compress better than the same joined by commas.
      const compress = { passes: 4, unsafe_arrows: true, pure_getters: true, sequences: false };
      file.code = (await minify(file.code, { ecma: 2020, compress })).code ?? file.code;
    }
  },
};

// One classic script, because a website names one address and waits for nothing else.
export default defineConfig({
  plugins: [smallest],
  resolve: { conditions: ["rondo:source"] },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    lib: { entry: "src/main.ts", formats: ["iife"], name: "RondoWidget", fileName: () => "rondo.js" },
  },
});
