// The API's calls again, with nothing that the chat widget could do without: it has 25 KiB for everything.

import type { Api, ApiOptions } from "./api.ts";
import { authorized } from "./authorized.ts";

/** The calls that read and write, typed as those of `Api`. */
export type Calls = Pick<Api, "GET" | "POST">;

interface Init {
  params?: { path?: Record<string, string>; query?: Record<string, unknown> };
  headers?: HeadersInit;
  body?: unknown;
}

/** The same as `createApi`, for JSON in and out. */
export function createCalls(options: ApiOptions): Calls {
  const send = authorized(options);
  const call =
    (method: string) =>
    async (template: string, init: Init = {}) => {
      const { path = {}, query = {} } = init.params ?? {};
      const address = template.replace(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(path[name] ?? ""),
      );
      const search = new URLSearchParams(query as Record<string, string>).toString();
      const headers = new Headers(init.headers);
      const request: RequestInit = { method, headers };
      if (init.body !== undefined) {
        headers.set("Content-Type", "application/json");
        request.body = JSON.stringify(init.body);
      }
      const target = options.baseUrl + address + (search && `?${search}`);
      const response = await send(new Request(target, request));
      const content = await response.json().catch(() => undefined);
      return response.ok ? { data: content, response } : { error: content, response };
    };
  return { GET: call("GET"), POST: call("POST") } as unknown as Calls;
}
