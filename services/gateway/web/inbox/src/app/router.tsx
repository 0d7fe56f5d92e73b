// Every address of the pages. Areas are loaded when they are first shown.

import { createRouter } from "@tanstack/react-router";
import { consoleRoute } from "../console/routes.tsx";
import { inboxRoute } from "../inbox/routes.tsx";
import { reportsRoute } from "../reports/routes.tsx";
import { signInRoute } from "../session/routes.tsx";
import { wallRoute } from "../wall/routes.tsx";
import { type Needs, rootRoute, shellRoute } from "./roots.tsx";
import { Loading, Problem } from "./states.tsx";

const tree = rootRoute.addChildren([
  signInRoute,
  shellRoute.addChildren([inboxRoute, wallRoute, reportsRoute, consoleRoute]),
]);

/** The router of the pages under `/inbox`. */
export function createPagesRouter(needs: Needs) {
  return createRouter({
    routeTree: tree,
    basepath: "/inbox",
    context: needs,
    defaultPreload: "intent",
    defaultPendingComponent: Loading,
    defaultErrorComponent: ({ error, reset }) => <Problem error={error} onRetry={reset} />,
    defaultPendingMinMs: 0,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createPagesRouter>;
  }
}
