// Where people sign in.

import { createRoute } from "@tanstack/react-router";
import { rootRoute } from "../app/roots.tsx";

interface SignInSearch {
  /** The place in these pages to show afterwards. */
  return_to?: string;
  /** Why signing in elsewhere failed, or why somebody is here again. */
  problem?: string;
  workspace_id?: string;
}

export const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): SignInSearch => ({
    ...(typeof search.return_to === "string" && { return_to: search.return_to }),
    ...(typeof search.problem === "string" && { problem: search.problem }),
    ...(typeof search.workspace_id === "string" && { workspace_id: search.workspace_id }),
  }),
}).lazy(() => import("./sign_in.tsx").then(({ lazyRoute }) => lazyRoute));
