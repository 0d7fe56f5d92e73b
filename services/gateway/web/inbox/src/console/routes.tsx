// The addresses of the console. What is shown there is loaded when it is first asked for.

import { createRoute } from "@tanstack/react-router";
import { shellRoute } from "../app/roots.tsx";

const frameRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/console",
}).lazy(() => import("./page.tsx").then(({ lazyRoute }) => lazyRoute));

/** One screen. Each has its own piece of code where it needs more than forms and tables. */
const screen = <const Path extends string>(path: Path) =>
  createRoute({ getParentRoute: () => frameRoute, path });

const indexRoute = screen("/").lazy(() => import("./page.tsx").then(({ indexLazy }) => indexLazy));
const agents = screen("/agents").lazy(() => import("./agents.tsx").then(({ listLazy }) => listLazy));
const newAgent = screen("/agents/new").lazy(() => import("./agent.tsx").then(({ newLazy }) => newLazy));
const agent = screen("/agents/edit/$id").lazy(() => import("./agent.tsx").then(({ editLazy }) => editLazy));
const teams = screen("/teams").lazy(() => import("./teams.tsx").then(({ listLazy }) => listLazy));
const newTeam = screen("/teams/new").lazy(() => import("./teams.tsx").then(({ newLazy }) => newLazy));
const team = screen("/teams/edit/$id").lazy(() => import("./teams.tsx").then(({ editLazy }) => editLazy));
const rules = screen("/rules").lazy(() => import("./rules.tsx").then(({ listLazy }) => listLazy));
const newRule = screen("/rules/new").lazy(() => import("./rule.tsx").then(({ newLazy }) => newLazy));
const rule = screen("/rules/edit/$id").lazy(() => import("./rule.tsx").then(({ editLazy }) => editLazy));
const tryRoute = screen("/try").lazy(() => import("./try_route.tsx").then(({ lazyRoute }) => lazyRoute));
const accounts = screen("/accounts").lazy(() => import("./accounts.tsx").then(({ listLazy }) => listLazy));
const newAccount = screen("/accounts/new").lazy(() =>
  import("./accounts.tsx").then(({ newLazy }) => newLazy),
);
const account = screen("/accounts/edit/$id").lazy(() =>
  import("./accounts.tsx").then(({ editLazy }) => editLazy),
);
const profiles = screen("/profiles").lazy(() => import("./profiles.tsx").then(({ listLazy }) => listLazy));
const newProfile = screen("/profiles/new").lazy(() =>
  import("./profiles.tsx").then(({ newLazy }) => newLazy),
);
const profile = screen("/profiles/edit/$id").lazy(() =>
  import("./profiles.tsx").then(({ editLazy }) => editLazy),
);
const replies = screen("/saved_replies").lazy(() =>
  import("./saved_replies.tsx").then(({ listLazy }) => listLazy),
);
const newReply = screen("/saved_replies/new").lazy(() =>
  import("./saved_replies.tsx").then(({ newLazy }) => newLazy),
);
const reply = screen("/saved_replies/edit/$id").lazy(() =>
  import("./saved_replies.tsx").then(({ editLazy }) => editLazy),
);
const webhooks = screen("/webhooks").lazy(() => import("./webhooks.tsx").then(({ listLazy }) => listLazy));
const newWebhook = screen("/webhooks/new").lazy(() =>
  import("./webhooks.tsx").then(({ newLazy }) => newLazy),
);
const webhook = screen("/webhooks/edit/$id").lazy(() =>
  import("./webhooks.tsx").then(({ editLazy }) => editLazy),
);
const apiKeys = screen("/api_keys").lazy(() => import("./api_keys.tsx").then(({ lazyRoute }) => lazyRoute));
const settings = createRoute({
  getParentRoute: () => frameRoute,
  path: "/settings",
  validateSearch: (search: Record<string, unknown>): { group?: string } =>
    typeof search.group === "string" ? { group: search.group } : {},
}).lazy(() => import("./settings.tsx").then(({ lazyRoute }) => lazyRoute));

export const consoleRoute = frameRoute.addChildren([
  indexRoute,
  agents,
  newAgent,
  agent,
  teams,
  newTeam,
  team,
  rules,
  newRule,
  rule,
  tryRoute,
  accounts,
  newAccount,
  account,
  profiles,
  newProfile,
  profile,
  replies,
  newReply,
  reply,
  webhooks,
  newWebhook,
  webhook,
  apiKeys,
  settings,
]);
