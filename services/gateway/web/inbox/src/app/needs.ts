// What components use of what was built in `main.tsx`.

import { useRouteContext } from "@tanstack/react-router";

/** The API's calls, the session and the rest, in everything below the shell. */
export function useNeeds() {
  return useRouteContext({ from: "/shell" });
}

/** The API's calls. */
export function useApi() {
  return useNeeds().api;
}

/** Who is signed in, and what they may do. */
export function useSession() {
  return useNeeds().session;
}
