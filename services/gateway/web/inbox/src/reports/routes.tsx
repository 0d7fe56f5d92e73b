// The addresses of the reports. What is shown there is loaded when it is first asked for.

import { createRoute } from "@tanstack/react-router";
import { shellRoute } from "../app/roots.tsx";

/** What a report's address says: its days, and what it has one row for. */
export interface ReportSearch {
  from?: string;
  to?: string;
  by?: string;
}

export const reportsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/reports",
  validateSearch: (search: Record<string, unknown>): ReportSearch => ({
    ...(typeof search.from === "string" && { from: search.from }),
    ...(typeof search.to === "string" && { to: search.to }),
    ...(typeof search.by === "string" && { by: search.by }),
  }),
}).lazy(() => import("./page.tsx").then(({ lazyRoute }) => lazyRoute));
