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

/** The awaited paths. */
export interface AwaitedPaths {
  "/v1/conversations/{conversation_id}/take": {
    post: {
      parameters: { path: { conversation_id: string }; query?: never; header?: never; cookie?: never };
      responses: { 200: { content: { "application/json": Schemas["Conversation"] } } };
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
