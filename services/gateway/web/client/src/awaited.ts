// Paths of the API that its committed description does not have yet, in the form it will give them. What the
// description has wins (see `api.ts`), so an entry here is dropped without any other change.

import type { components } from "./schema.ts";

type Json<Body> = { content: { "application/json": Body } };
type None = { content?: never };
type Bodiless = {
  parameters: { path: { conversation_id: string }; query?: never; header?: never; cookie?: never };
  requestBody?: never;
  responses: { 204: None };
};
type InConversation<Body, Responses> = {
  parameters: { path: { conversation_id: string }; query?: never; header?: never; cookie?: never };
  requestBody: Json<Body>;
  responses: Responses;
};

/** What the browser of a visitor is given to call with. */
export interface VisitorSession {
  visitor_id: string;
  visitor_token: string;
  expires_at: string;
  /** How the website wants its widget. */
  config?: SiteConfig;
}

/** A field of the visitor's profile that the widget can ask for before a chat. */
export type AskedField =
  | "first_name"
  | "last_name"
  | "email"
  | "job_title"
  | "company"
  | "phone"
  | "country"
  | "state"
  | "city"
  | "company_size"
  | "industry";

/** How the workspace wants its widget; what is absent is as the widget has it. */
export interface SiteConfig {
  title?: string;
  greeting?: string;
  /** The accent, as `#rrggbb`. */
  colour?: string;
  /** Asked before the chat, in this order. */
  fields?: AskedField[];
  required?: AskedField[];
  route?: components["schemas"]["ChatRequestBody"]["route"] | null;
  /** Where the visitor can book a meeting, when the fallback offers one. */
  meeting_url?: string | null;
  /** Whether the API takes ratings of ended chats. */
  ratings?: boolean;
}

/** The awaited paths. */
export interface AwaitedPaths {
  "/v1/visitor_sessions": {
    post: {
      parameters: { query?: never; header?: never; path?: never; cookie?: never };
      requestBody: Json<{ site_key: string; visitor_id?: string; identity?: string }>;
      responses: { 201: Json<VisitorSession> };
    };
  };
  "/v1/visitor_sessions/refresh": {
    post: {
      parameters: { query?: never; header?: never; path?: never; cookie?: never };
      requestBody?: never;
      responses: { 200: Json<VisitorSession> };
    };
  };
  "/v1/conversations/{conversation_id}/typing": { post: Bodiless };
  "/v1/conversations/{conversation_id}/read": {
    post: InConversation<{ message_id: string }, { 204: None }>;
  };
  "/v1/conversations/{conversation_id}/transcript/email": {
    post: InConversation<{ to: string }, { 202: None }>;
  };
  "/v1/conversations/{conversation_id}/rating": {
    post: InConversation<{ score: number; comment?: string }, { 204: None }>;
  };
}
