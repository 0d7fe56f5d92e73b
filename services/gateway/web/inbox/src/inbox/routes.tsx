// The address of the inbox: which list, and which conversation of it, are in its query.

import { createRoute } from "@tanstack/react-router";
import { shellRoute } from "../app/roots.tsx";

export const inboxRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/",
}).lazy(() => import("./page.tsx").then(({ lazyRoute }) => lazyRoute));
