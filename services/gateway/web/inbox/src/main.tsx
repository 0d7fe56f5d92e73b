// The pages for agents: everything is built here, once, and handed down.

import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createQueryClient } from "./app/queries.ts";
import { createPagesRouter } from "./app/router.tsx";
import { Surface } from "./app/surface.tsx";
import { startTexts } from "./i18n/texts.ts";
import { createAgentApi, Gate } from "./session/gate.ts";
import { sessionQuery } from "./session/session.ts";
import { browserPreferences } from "./settings/preferences.ts";

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
setNonce(nonce); // For the style that keeps a page from scrolling behind a dialog.

const preferences = browserPreferences();
await startTexts(preferences);
const queryClient = createQueryClient();
const gate = new Gate();
const api = createAgentApi(gate);
const router = createPagesRouter({ api, gate, preferences, queryClient });

gate.onExpired = () => {
  queryClient.setQueryData(sessionQuery(api, gate).queryKey, null);
  const search = { problem: "expired", return_to: router.state.location.href };
  void router.navigate({ to: "/sign-in", search });
};

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <Surface nonce={nonce} preferences={preferences}>
          <RouterProvider router={router} />
        </Surface>
      </QueryClientProvider>
    </StrictMode>,
  );
}
