// The console's screens, and who may use each.

import type { Permission, Session } from "../session/session.ts";

/** One screen: `name` is its address and the name of its texts. */
export interface Section {
  name: SectionName;
  anyOf: readonly Permission[];
}

export const SECTION_NAMES = [
  "agents",
  "teams",
  "rules",
  "try",
  "accounts",
  "saved_replies",
  "settings",
  "webhooks",
  "api_keys",
  "profiles",
] as const;
export type SectionName = (typeof SECTION_NAMES)[number];

const ROUTING: readonly Permission[] = ["admin_custom_rules", "admin_round_robin"];

export const SECTIONS: readonly Section[] = [
  { name: "agents", anyOf: ["admin_agents"] },
  { name: "teams", anyOf: ["admin_teams"] },
  { name: "rules", anyOf: ["admin_custom_rules"] },
  { name: "try", anyOf: ROUTING },
  { name: "accounts", anyOf: ["admin_accounts"] },
  { name: "saved_replies", anyOf: ["admin_agents"] },
  { name: "settings", anyOf: ["admin_round_robin", "admin_security", "admin_integrations"] },
  { name: "webhooks", anyOf: ["admin_integrations"] },
  { name: "api_keys", anyOf: ["admin_security"] },
  { name: "profiles", anyOf: ["admin_security"] },
];

/** The screens that the agent may use, in their order. */
export function sectionsFor(session: Pick<Session, "permissions">): Section[] {
  return SECTIONS.filter((each) => each.anyOf.some((one) => session.permissions.includes(one)));
}
