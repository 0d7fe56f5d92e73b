// The API's calls, typed by its own description.

import createClient, { type Client } from "openapi-fetch";
import { authorized } from "./authorized.ts";
import type { Calls } from "./calls.ts";
import { errorOf, networkError } from "./errors.ts";
import type { components, paths } from "./schema.ts";

/** Every path of the API with its methods, parameters, bodies and answers. */
export type Paths = paths;

/** The API's calls: `api.POST("/v1/conversations", { body })`. */
export type Api = Client<Paths>;

export type Conversation = components["schemas"]["Conversation"];
export type Colleague = components["schemas"]["Colleague"];
export type SavedReply = components["schemas"]["SavedReply"];
export type Session = components["schemas"]["AgentSession"];
export type Message = components["schemas"]["Message"];
export type ChatRequest = components["schemas"]["ChatRequestBody"];
export type RouteBody = components["schemas"]["RouteBody"];

/** A bearer token, and a new one when it was refused. */
export interface Credential {
  /** The token, or null where a cookie speaks for the caller. */
  token(): Promise<string | null>;
  /** A token that is not `refused`. Rejects when there is none to be had. */
  renewed?(refused: string | null): Promise<string | null>;
}

/** Where the API is, and who calls. */
export interface ApiOptions {
  /** Scheme and host, without a path; empty for the page's own. */
  baseUrl: string;
  credential?: Credential;
  fetch?: typeof fetch;
}

/** Calls to the API. A token that is refused is renewed and the call repeated, once. */
export function createApi(options: ApiOptions): Api {
  return createClient<Paths>({ baseUrl: options.baseUrl, fetch: authorized(options) });
}

/** The data of a call's answer. Raises `RondoError` for every other answer, and for none. */
export async function answered<Data>(
  call: Promise<{ data?: Data; error?: unknown; response: Response }>,
): Promise<Data> {
  let answer: Awaited<typeof call>;
  try {
    answer = await call;
  } catch (cause) {
    throw networkError(cause);
  }
  if (!answer.response.ok) throw await errorOf(answer.response, answer.error);
  return answer.data as Data;
}

/** All messages of a conversation, in order. */
export async function allMessages(api: Calls, conversationId: string): Promise<Message[]> {
  const messages: Message[] = [];
  let cursor: string | null = null;
  do {
    const path = { conversation_id: conversationId };
    const query: { cursor?: string } = cursor === null ? {} : { cursor };
    const page: { data: Message[]; next_cursor?: string | null } = await answered(
      api.GET("/v1/conversations/{conversation_id}/messages", { params: { path, query } }),
    );
    messages.push(...page.data);
    cursor = page.next_cursor ?? null;
  } while (cursor !== null);
  return messages;
}

/**
 * Asks for a conversation's live stream, for `LiveStream`. The token goes into the address: that needs no
 * second request to ask whether another origin may send a header.
 */
export function connectToConversation(
  options: ApiOptions,
  conversationId: string,
  cursor: string | null,
  signal: AbortSignal,
): Promise<Response> {
  return connect(options, `/v1/conversations/${encodeURIComponent(conversationId)}/stream`, cursor, signal);
}

/** Asks for the live stream of the agent who calls, likewise. */
export function connectToAgent(
  options: ApiOptions,
  cursor: string | null,
  signal: AbortSignal,
): Promise<Response> {
  return connect(options, "/v1/agents/me/stream", cursor, signal);
}

/** Asks for the stream at `path`, after `cursor` if there is one. */
export async function connect(
  { baseUrl, credential, fetch = globalThis.fetch }: ApiOptions,
  path: string,
  cursor: string | null,
  signal: AbortSignal,
): Promise<Response> {
  const query = new URLSearchParams();
  const token = await credential?.token();
  if (token) query.set("access_token", token);
  if (cursor !== null) query.set("last_event_id", cursor);
  const headers = { Accept: "text/event-stream" };
  return fetch(`${baseUrl}${path}?${query}`, { signal, headers, cache: "no-store" });
}
