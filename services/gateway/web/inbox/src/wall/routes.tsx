// The addresses of the wall. What is shown there is loaded when it is first asked for.

import { createRoute } from "@tanstack/react-router";
import { shellRoute } from "../app/roots.tsx";

export const wallRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/wall",
}).lazy(() => import("./page.tsx").then(({ lazyRoute }) => lazyRoute));
