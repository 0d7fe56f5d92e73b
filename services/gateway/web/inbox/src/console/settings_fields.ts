// The workspace's settings: in which groups they are shown, how each is typed in, and who may change it.

import type { components } from "@rondo/client";
import type { Permission } from "../session/session.ts";

export type Settings = components["schemas"]["OwnWorkspace"];

/** A setting's place, such as `queue.max_wait_s`. Labels and help are texts of the same name. */
export interface SettingField {
  path: string;
  input:
    | "switch"
    | "number"
    | "text"
    | "area"
    | "zone"
    | "list"
    | "colour"
    | "visitor_fields"
    | "route"
    | "channels";
  min?: number;
  max?: number;
  /** What the number counts; its text is `unit.<name>`. */
  unit?: "s" | "days" | "chats" | "attempts" | "per_minute" | "per_month" | "visitors";
  /** Empty means null: no limit. */
  isNullable?: boolean;
}

export interface SettingGroup {
  name: GroupName;
  fields: readonly (SettingField & { permission: Permission })[];
}

export const GROUP_NAMES = ["routing", "waiting", "website", "safety", "limits", "alerts"] as const;
export type GroupName = (typeof GROUP_NAMES)[number];

const of = (permission: Permission, fields: readonly SettingField[]) =>
  fields.map((each) => ({ ...each, permission }));

const PER_MINUTE = { input: "number", min: 0, max: 1_000_000, unit: "per_minute" } as const;
const ATTEMPTS = { input: "number", min: 1, max: 100, unit: "attempts" } as const;

export const GROUPS: readonly SettingGroup[] = [
  {
    name: "routing",
    fields: of("admin_round_robin", [
      { path: "live_chat_enabled", input: "switch" },
      { path: "time_zone", input: "zone" },
      { path: "agent_capacity", input: "number", min: 1, max: 10_000, unit: "chats" },
      { path: "presence_required", input: "switch" },
      { path: "offer_timeout_s", input: "number", min: 1, max: 600, unit: "s" },
      { path: "offer_attempts.round_robin", ...ATTEMPTS },
      { path: "offer_attempts.agent", ...ATTEMPTS },
      { path: "offer_attempts.custom_rules", ...ATTEMPTS },
      { path: "offer_attempts.team", ...ATTEMPTS },
    ]),
  },
  {
    name: "waiting",
    fields: of("admin_round_robin", [
      { path: "queue.enabled", input: "switch" },
      { path: "queue.max_wait_s", input: "number", min: 1, max: 86_400, unit: "s" },
      { path: "queue.size_max", input: "number", min: 1, max: 10_000, unit: "visitors" },
      { path: "fallback.message", input: "area", max: 4_000 },
      { path: "fallback.offer_meeting", input: "switch" },
      { path: "idle_timeout_s", input: "number", min: 5, max: 86_400, unit: "s" },
      { path: "visitor_lease_s", input: "number", min: 0, max: 86_400, unit: "s" },
    ]),
  },
  {
    name: "website",
    fields: [
      ...of("admin_security", [{ path: "allowed_origins", input: "list" }]),
      ...of("admin_integrations", [
        { path: "widget.title", input: "text", max: 200 },
        { path: "widget.greeting", input: "area", max: 1_000 },
        { path: "widget.colour", input: "colour" },
        { path: "widget.fields", input: "visitor_fields" },
        { path: "widget.required", input: "visitor_fields" },
        { path: "widget.route", input: "route" },
        { path: "widget.ratings", input: "switch" },
        { path: "widget.meeting_url", input: "text", max: 2_000, isNullable: true },
      ]),
    ],
  },
  {
    name: "safety",
    fields: of("admin_security", [
      { path: "blocked_email_domains", input: "list" },
      { path: "engagements_per_month_max", input: "number", min: 0, unit: "per_month", isNullable: true },
      { path: "retention_days", input: "number", min: 1, max: 3_650, unit: "days" },
    ]),
  },
  {
    name: "limits",
    fields: of("admin_security", [
      { path: "rate_limits.visitor_messages_per_minute", ...PER_MINUTE },
      { path: "rate_limits.visitor_chat_requests_per_minute", ...PER_MINUTE },
      { path: "rate_limits.widget_chat_requests_per_minute", ...PER_MINUTE },
      { path: "rate_limits.sessions_per_minute", ...PER_MINUTE },
      { path: "rate_limits.address_sessions_per_minute", ...PER_MINUTE },
      { path: "rate_limits.backend_messages_per_minute", ...PER_MINUTE },
      { path: "rate_limits.backend_chat_requests_per_minute", ...PER_MINUTE },
    ]),
  },
  {
    name: "alerts",
    fields: of("admin_integrations", [
      { path: "alerts.escalation", input: "channels" },
      { path: "alerts.ack_timeout_s", input: "number", min: 0.1, max: 600, unit: "s" },
      { path: "alerts.mail_interval_s", input: "number", min: 0, max: 86_400, unit: "s" },
      { path: "alerts.queue_wait_s", input: "number", min: 1, max: 86_400, unit: "s", isNullable: true },
      { path: "alerts.coverage_grace_s", input: "number", min: 0, max: 86_400, unit: "s" },
      { path: "alerts.chat_hooks", input: "list" },
    ]),
  },
];

/** The groups with the settings that somebody with these permissions may change. */
export function groupsFor(permissions: readonly Permission[]): SettingGroup[] {
  return GROUPS.map(({ name, fields }) => ({
    name,
    fields: fields.filter(({ permission }) => permissions.includes(permission)),
  })).filter(({ fields }) => fields.length > 0);
}

/** The settings as a form: one value a path. What this server does not know of is left out. */
export type SettingValues = Record<string, unknown>;

export function valuesOf(settings: Settings): SettingValues {
  const known = GROUPS.flatMap(({ fields }) => fields).map(
    ({ path }) => [path, at(settings, path)] as const,
  );
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}

function at(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split(".")) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

/** The merge patch (RFC 7396) that makes `after` of `before`: what changed, and nothing else. */
export function patchOf(before: SettingValues, after: SettingValues): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(after)) {
    if (JSON.stringify(value) === JSON.stringify(before[path])) continue;
    const names = path.split(".");
    const last = names.pop() ?? path;
    let place = patch;
    for (const name of names) {
      place[name] ??= {};
      place = place[name] as Record<string, unknown>;
    }
    place[last] = replacing(before[path], value);
  }
  return patch;
}

/** An object instead of another one: names that it lacks must go. */
function replacing(before: unknown, after: unknown): unknown {
  if (!isObject(before) || !isObject(after)) return after === "" ? null : after;
  const gone = Object.keys(before).filter((name) => !(name in after));
  return { ...Object.fromEntries(gone.map((name) => [name, null])), ...after };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The path of the setting that a pointer of the API leads to or into: `/queue/max_wait_s`. */
export function pathAt(pointer: string, values: SettingValues): string | null {
  const names = pointer.split("/").slice(1);
  for (let length = names.length; length > 0; length -= 1) {
    const path = names.slice(0, length).join(".");
    if (path in values) return path;
  }
  return null;
}

/** The tag that brings the widget onto a website. */
export function siteTag(origin: string, siteKey: string): string {
  return `<script src="${origin}/widget/rondo.js" data-site-key="${siteKey}" async></script>`;
}
