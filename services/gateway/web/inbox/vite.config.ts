import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  base: "/inbox/",
  plugins: [react()],
  resolve: { conditions: ["rondo:source", "module", "browser", "production"] },
  build: {
    target: "es2022",
    // The policy of these pages takes styles and scripts from their own host only: nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: "index.html" },
    },
  },
});
