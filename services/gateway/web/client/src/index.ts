// @rondo/client: Rondo's API and live streams for website front ends.

export * from "./api.ts";
export * from "./backoff.ts";
export * from "./calls.ts";
export * from "./conversation.ts";
export * from "./errors.ts";
export * from "./keep.ts";
export * from "./links.ts";
export * from "./outbox.ts";
export type { components, operations, paths } from "./schema.ts";
export type { SiteConfig, VisitorSession } from "./site.ts";
export * from "./stream.ts";
export * from "./surroundings.ts";
export * from "./visitor.ts";
