import { defineConfig } from "vite";

// One classic script, because a website names one address and waits for nothing else.
export default defineConfig({
  resolve: { conditions: ["rondo:source"] },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    // Half a KiB smaller than the minifier that Vite brings; see the size test.
    minify: "terser",
    terserOptions: { ecma: 2020, compress: { passes: 3, unsafe_arrows: true } },
    lib: { entry: "src/main.ts", formats: ["iife"], name: "RondoWidget", fileName: () => "rondo.js" },
  },
});
