// Who is signed in in this browser, and what they may do.

import { type Api, answered, type components, RondoError, type Session } from "@rondo/client";
import { queryOptions } from "@tanstack/react-query";
import type { Gate } from "./gate.ts";

export type { Session };
export type Permission = components["schemas"]["Permission"];

/** The session of this browser; `null` when nobody is signed in. */
export function sessionQuery(api: Api, gate: Gate) {
  return queryOptions({
    queryKey: ["session"],
    queryFn: async (): Promise<Session | null> => {
      try {
        const session = await answered(api.GET("/v1/session"));
        gate.csrfToken = session.csrf_token;
        return session;
      } catch (error) {
        if (error instanceof RondoError && error.status === 401) return null;
        throw error;
      }
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });
}

/** Whether the agent holds one of the permissions. */
export function may(session: Pick<Session, "permissions">, ...anyOf: readonly Permission[]): boolean {
  return anyOf.some((each) => session.permissions.includes(each));
}

/** Whether the agent may use the console: any of its areas. */
export function mayAdminister(session: Pick<Session, "permissions">): boolean {
  return session.permissions.some((each) => each.startsWith("admin_"));
}

/** A place in these pages to return to after signing in; anything else is the inbox. */
export function safeReturn(address: unknown): string {
  if (typeof address !== "string") return "/";
  const place = address.startsWith("/inbox/") ? address.slice("/inbox".length) : address;
  return /^\/(?![/\\])[^\\]*$/.test(place) && !place.startsWith("/sign-in") ? place : "/";
}
