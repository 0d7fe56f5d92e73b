// The addresses of the reports. What is shown there is loaded when it is first asked for.

import { createRoute } from "@tanstack/react-router";
import { shellRoute } from "../app/roots.tsx";

export const reportsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/reports",
}).lazy(() => import("./page.tsx").then(({ lazyRoute }) => lazyRoute));
