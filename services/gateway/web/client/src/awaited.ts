// What of the API its committed description does not have yet, in the form it will give it. What the
// description has wins (see `api.ts`), so that an entry here is dropped without any other change.

import type { components } from "./schema.ts";

type Schemas = components["schemas"];

/** How the workspace wants its widget; what is absent is as the widget has it. */
export type SiteConfig = Partial<Schemas["WidgetSettings"]> & {
  /** Where the visitor can book a meeting, when the fallback offers one. */
  meeting_url?: string | null;
  /** Whether the API takes ratings of ended chats. */
  ratings?: boolean;
};

/** What the browser of a visitor is given to call with. */
export type VisitorSession = Omit<Schemas["VisitorSession"], "config"> & { config?: SiteConfig };

/** Who is signed in, by the cookie of the browser that asks. */
export interface Session {
  workspace: { id: string; name: string };
  agent: {
    id: string;
    name: string;
    email: string;
    avatar_url: string | null;
    time_zone: string | null;
  };
  permissions: Schemas["Permission"][];
  /** To be sent as `X-CSRF-Token` with every call that changes something. */
  csrf_token: string;
  expires_at: string;
}

/** A colleague, for transfers and the wall. */
export interface Colleague {
  id: string;
  name: string;
  avatar_url: string | null;
  available: boolean;
  present: boolean;
  load: number;
  capacity: number;
  teams: string[];
}

/** A text that agents insert by its shortcut. */
export interface SavedReply {
  id: string;
  shortcut: string;
  title: string;
  text: string;
}

interface NoParameters {
  query?: never;
  header?: never;
  path?: never;
  cookie?: never;
}

interface Answer<Content> {
  content: { "application/json": Content };
}

/** The awaited paths. */
export interface AwaitedPaths {
  "/v1/sign_in_methods": {
    get: {
      parameters: { query?: { workspace_id?: string }; header?: never; path?: never; cookie?: never };
      responses: { 200: Answer<{ oidc: boolean }> };
    };
  };
  "/v1/session": {
    get: { parameters: NoParameters; responses: { 200: Answer<Session> } };
    delete: { parameters: NoParameters; responses: { 204: { content?: never } } };
  };
  "/v1/sessions": {
    post: {
      parameters: NoParameters;
      requestBody: { content: { "application/json": { token: string } } };
      responses: { 201: Answer<Session> };
    };
    delete: { parameters: NoParameters; responses: { 204: { content?: never } } };
  };
  "/v1/roster": { get: { parameters: NoParameters; responses: { 200: Answer<{ data: Colleague[] }> } } };
  "/v1/saved_replies": {
    get: {
      parameters: {
        query?: { limit?: number; cursor?: string };
        header?: never;
        path?: never;
        cookie?: never;
      };
      responses: { 200: Answer<{ data: SavedReply[]; next_cursor: string | null }> };
    };
  };
  "/v1/agents/{agent_id}/unread": {
    get: {
      parameters: { path: { agent_id: string }; query?: never; header?: never; cookie?: never };
      responses: { 200: Answer<{ data: { conversation_id: string; unread: number }[] }> };
    };
  };
  "/v1/conversations/{conversation_id}/take": {
    post: {
      parameters: { path: { conversation_id: string }; query?: never; header?: never; cookie?: never };
      responses: { 200: Answer<Schemas["Conversation"]> };
    };
  };
  "/v1/conversations/{conversation_id}/rating": {
    post: {
      parameters: { path: { conversation_id: string }; query?: never; header?: never; cookie?: never };
      requestBody: { content: { "application/json": { score: number; comment?: string } } };
      responses: { 204: { content?: never } };
    };
  };
}
