// The addresses of the console. What is shown there is loaded when it is first asked for.

import { createRoute } from "@tanstack/react-router";
import { shellRoute } from "../app/roots.tsx";

export const consoleRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/console",
}).lazy(() => import("./page.tsx").then(({ lazyRoute }) => lazyRoute));
