// Why this agent, in a short line.

import type { TFunction } from "i18next";
import type { Why } from "../desk/desk.ts";

const STAGES = ["account_owner", "round_robin", "agent", "custom_rule", "team", "queue"] as const;
const BY_ROUTE = {
  round_robin: "round_robin",
  agent: "agent",
  custom_rules: "custom_rule",
  team: "team",
} as const;

/** `Your turn · 2 colleagues before you were busy`. */
export function whyText(t: TFunction<"inbox">, why: Why | null, route: keyof typeof BY_ROUTE): string {
  const stage = STAGES.find((each) => why?.stage === each) ?? BY_ROUTE[route];
  const passed = why?.passed_over_count ?? 0;
  const reason = t(`why.${stage}`);
  return passed > 0 ? `${reason} · ${t("why.passed_over", { count: passed })}` : reason;
}
