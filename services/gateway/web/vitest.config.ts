import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { conditions: ["rondo:source"] },
        ssr: { resolve: { conditions: ["rondo:source"] } },
        test: { name: "client", root: "client", include: ["tests/**/*.test.ts"], environment: "node" },
      },
      {
        resolve: { conditions: ["rondo:source"] },
        ssr: { resolve: { conditions: ["rondo:source"] } },
        oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
        test: {
          name: "widget",
          root: "widget",
          include: ["tests/**/*.test.{ts,tsx}"],
          environment: "happy-dom",
        },
      },
      {
        resolve: { conditions: ["rondo:source"] },
        ssr: { resolve: { conditions: ["rondo:source"] } },
        test: {
          name: "inbox",
          root: "inbox",
          include: ["tests/**/*.test.{ts,tsx}"],
          environment: "happy-dom",
        },
      },
    ],
  },
});
