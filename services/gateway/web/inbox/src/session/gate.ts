// Calls as the signed-in agent: by the browser's cookie, and the token that shows that this page makes them.

import { type Api, createApi } from "@rondo/client";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** What the calls know of the session, and whom they tell that it is over. */
export class Gate {
  /** From `GET /v1/session`; without it, only what changes nothing may be called. */
  csrfToken: string | null = null;
  /** Called when a call was refused because nobody is signed in any more. */
  onExpired: () => void = () => {};
}

/** The API's calls for these pages. */
export function createAgentApi(gate: Gate, fetch: typeof globalThis.fetch = globalThis.fetch): Api {
  return createApi({ baseUrl: "", fetch: gated(gate, fetch) });
}

/** `fetch` as the signed-in agent. */
export function gated(gate: Gate, fetch: typeof globalThis.fetch = globalThis.fetch): typeof fetch {
  return (input, init) => send(gate, fetch, new Request(input, init));
}

async function send(gate: Gate, fetch: typeof globalThis.fetch, request: Request): Promise<Response> {
  if (!SAFE.has(request.method) && gate.csrfToken !== null) {
    request.headers.set("X-CSRF-Token", gate.csrfToken);
  }
  const response = await fetch(request);
  // Who is not signed in yet is told so as well: then there is nothing that could be over.
  if (response.status === 401 && gate.csrfToken !== null) {
    gate.csrfToken = null;
    gate.onExpired();
  }
  return response;
}
