// A website: how it wants its widget, and what the browser of its visitor is given.

import type { components } from "./schema.ts";

type Schemas = components["schemas"];

/** How the workspace wants its widget; what is absent is as the widget has it. */
export type SiteConfig = Partial<Schemas["WidgetSettings"]>;

/** What the browser of a visitor is given to call with. */
export type VisitorSession = Omit<Schemas["VisitorSession"], "config"> & { config?: SiteConfig };
