// What a workspace provisions, as the console reads and writes it: every kind in the same way.

import { type Api, answered, type components, errorOf, networkError } from "@rondo/client";
import { queryOptions } from "@tanstack/react-query";

type Schemas = components["schemas"];

/** A saved reply as the API has it. */
export interface SavedReply {
  id: string;
  shortcut: string;
  title: string;
  text: string;
}

/** Each kind: as it is shown, and as it is put. */
export interface Kinds {
  agents: { shown: Schemas["Agent"]; body: Schemas["AgentBody"] };
  teams: { shown: Schemas["Team"]; body: Schemas["TeamBody"] };
  rules: { shown: Schemas["Rule"]; body: Schemas["RuleBody"] };
  accounts: { shown: Schemas["Account"]; body: Schemas["AccountBody"] };
  profiles: { shown: Schemas["Profile"]; body: Schemas["ProfileBody"] };
  webhooks: { shown: Schemas["Webhook"]; body: Schemas["WebhookBody"] };
  saved_replies: { shown: SavedReply; body: Omit<SavedReply, "id"> };
}
export type Kind = keyof Kinds;
export type Shown<K extends Kind> = Kinds[K]["shown"];
export type Body<K extends Kind> = Kinds[K]["body"];

/** Something, and the version of it (`ETag`) that a change must name. */
export interface Versioned<T> {
  shown: T;
  version: string | null;
}

const PAGE_SIZE = 200;

/** All kinds have the same routes, so that of one stands for all of them where calls are typed. */
function listPath<K extends Kind>(kind: K): "/v1/agents" {
  return `/v1/${kind}` as "/v1/agents";
}
function entryPath<K extends Kind>(kind: K): "/v1/agents/{id}" {
  return `/v1/${kind}/{id}` as "/v1/agents/{id}";
}

/** Every one of a kind. */
export function kindQuery<K extends Kind>(api: Api, kind: K) {
  return queryOptions({
    queryKey: ["console", kind],
    queryFn: async (): Promise<Shown<K>[]> => {
      const all: Shown<K>[] = [];
      let cursor: string | null = null;
      do {
        const query: { limit: number; cursor?: string } = { limit: PAGE_SIZE, ...(cursor && { cursor }) };
        const page: { data: unknown[]; next_cursor?: string | null } = await answered(
          api.GET(listPath(kind), { params: { query } }),
        );
        all.push(...(page.data as Shown<K>[]));
        cursor = page.next_cursor ?? null;
      } while (cursor !== null);
      return all;
    },
  });
}

/** One of a kind, with its version; always asked for anew, because it is about to be changed. */
export function entryQuery<K extends Kind>(api: Api, kind: K, id: string) {
  return queryOptions({
    queryKey: ["console", kind, "one", id],
    queryFn: (): Promise<Versioned<Shown<K>>> => readEntry(api, kind, id),
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

export async function readEntry<K extends Kind>(
  api: Api,
  kind: K,
  id: string,
): Promise<Versioned<Shown<K>>> {
  // `no-store`: not what the browser kept, which may be an older version.
  return versioned(api.GET(entryPath(kind), { params: { path: { id } }, cache: "no-store" }));
}

/** Puts one: over the version named, or where there is none yet. Raises `RondoError`; 412 when that is not so. */
export async function putEntry<K extends Kind>(
  api: Api,
  kind: K,
  id: string,
  body: Body<K>,
  version: string | null,
): Promise<Versioned<Shown<K>>> {
  const header = version === null ? { "if-none-match": "*" } : { "if-match": version };
  const call = api.PUT(entryPath(kind), {
    params: { path: { id }, header },
    body: body as Body<"agents">,
  });
  return versioned(call);
}

/** Deletes one, if it is still in that version. */
export async function deleteEntry(api: Api, kind: Kind, id: string, version: string | null): Promise<void> {
  const header = version === null ? {} : { "if-match": version };
  await answered(api.DELETE(entryPath(kind), { params: { path: { id }, header } }));
}

/** The answer of a call with its `ETag`. Raises `RondoError` for every other answer, and for none. */
export async function versioned<T>(
  call: Promise<{ data?: unknown; error?: unknown; response: Response }>,
): Promise<Versioned<T>> {
  let answer: Awaited<typeof call>;
  try {
    answer = await call;
  } catch (cause) {
    throw networkError(cause);
  }
  if (!answer.response.ok) throw await errorOf(answer.response, answer.error);
  return { shown: answer.data as T, version: answer.response.headers.get("etag") };
}
