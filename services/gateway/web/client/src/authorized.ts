// Requests with the caller's credential, and again with a new one when it was refused.

import type { ApiOptions } from "./api.ts";

/** Sends a request. A token that is refused is renewed and the request repeated, once. */
export function authorized({ credential, fetch = globalThis.fetch }: ApiOptions) {
  return async (request: Request): Promise<Response> => {
    if (!credential) return fetch(request);
    const again = request.clone();
    const token = await credential.token();
    const response = await fetch(bearing(request, token));
    if (response.status !== 401 || !credential.renewed) return response;
    return fetch(bearing(again, await credential.renewed(token)));
  };
}

function bearing(request: Request, token: string | null): Request {
  if (token !== null) request.headers.set("Authorization", `Bearer ${token}`);
  return request;
}
