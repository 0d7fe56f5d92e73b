// The routes that all others hang from: the ground, and the part that only who is signed in sees.

import type { Api } from "@rondo/client";
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, Link, Outlet, redirect } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Gate } from "../session/gate.ts";
import { sessionQuery } from "../session/session.ts";
import type { Preferences } from "../settings/preferences.ts";
import { Shell } from "./shell.tsx";
import { Empty } from "./states.tsx";

/** What every route may use. */
export interface Needs {
  api: Api;
  gate: Gate;
  preferences: Preferences;
  queryClient: QueryClient;
}

export const rootRoute = createRootRouteWithContext<Needs>()({
  component: Outlet,
  notFoundComponent: NotFound,
});

/** Asks who is signed in before anything is shown; whoever is not comes back here after signing in. */
export const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  beforeLoad: async ({ context, location }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery(context.api, context.gate));
    if (!session) throw redirect({ to: "/sign-in", search: { return_to: location.href } });
    return { session };
  },
  component: Shell,
});

function NotFound() {
  const { t } = useTranslation();
  return (
    <Empty title={t("not_found.title")}>
      <Link to="/">{t("not_found.back")}</Link>
    </Empty>
  );
}
