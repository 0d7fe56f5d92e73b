import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const BASE =
  /node_modules[\\/](react|react-dom|scheduler|@tanstack|i18next|react-i18next|get-nonce|virtua|openapi-fetch|eventsource-parser|@floating-ui)[\\/]/;

export default defineConfig({
  base: "/inbox/",
  plugins: [react()],
  resolve: { conditions: ["rondo:source", "module", "browser", "production"] },
  build: {
    target: "es2022",
    // Of browsers that have `light-dark()` themselves: what stands in for it needs more than a style.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // The policy of these pages takes styles and scripts from their own host only: nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: "index.html", service_worker: "src/push/service_worker.ts" },
      output: {
        // What every page needs is one file: it compresses better than twenty small ones.
        codeSplitting: { groups: [{ name: "base", test: BASE }] },
        // The worker keeps its name: browsers ask for it again under the same one.
        entryFileNames: ({ name }) => (name === "service_worker" ? "sw.js" : "assets/[name]-[hash].js"),
      },
    },
  },
});
