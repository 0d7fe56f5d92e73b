import { defineConfig } from "vite";

// One classic script, because a website names one address and waits for nothing else.
export default defineConfig({
  resolve: { conditions: ["rondo:source"] },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    // Half a KiB smaller than the minifier that Vite brings; see the size test.
    minify: "terser",
    terserOptions: {
      ecma: 2020,
      module: true,
      compress: { passes: 4, unsafe_arrows: true, pure_getters: true },
    },
    lib: { entry: "src/main.ts", formats: ["iife"], name: "RondoWidget", fileName: () => "rondo.js" },
  },
});
