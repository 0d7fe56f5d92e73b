// The address of the inbox: which list, which filters and which conversation are in its query.

import { createRoute } from "@tanstack/react-router";
import { shellRoute } from "../app/roots.tsx";

export const LISTS = ["ringing", "active", "queue", "all"] as const;
export type ListName = (typeof LISTS)[number];
export const STATUSES = [
  "requested",
  "queued",
  "offered",
  "active",
  "ended",
  "fell_back",
  "withdrawn",
] as const;
export type Status = (typeof STATUSES)[number];

/** What the address says. What is absent is as by default. */
export interface InboxSearch {
  list?: ListName;
  conversation?: string;
  /** Looked for in what was said. */
  q?: string;
  status?: Status;
  agent?: string;
  visitor?: string;
}

/** The search of an address; what it says wrongly is left out. */
export function inboxSearch(search: Record<string, unknown>): InboxSearch {
  const text = (value: unknown) =>
    typeof value === "string" && value !== ""
      ? value
      : typeof value === "number"
        ? String(value)
        : undefined;
  const list = LISTS.find((each) => each === search.list && each !== "active");
  const status = STATUSES.find((each) => each === search.status);
  const conversation = text(search.conversation);
  const q = text(search.q);
  const agent = text(search.agent);
  const visitor = text(search.visitor);
  return {
    ...(list && { list }),
    ...(conversation && { conversation }),
    ...(q && { q }),
    ...(status && { status }),
    ...(agent && { agent }),
    ...(visitor && { visitor }),
  };
}

export const inboxRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/",
  validateSearch: inboxSearch,
}).lazy(() => import("./page.tsx").then(({ lazyRoute }) => lazyRoute));
