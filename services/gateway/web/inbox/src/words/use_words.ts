// Language and zone for everything that tells times.

import { useTranslation } from "react-i18next";
import { useSession } from "../app/needs.ts";
import { zoneOf } from "./times.ts";

/** The language that is spoken, and the agent's time zone. */
export function useWords(): { language: string; zone: string } {
  const { i18n } = useTranslation();
  const { agent } = useSession();
  return { language: i18n.resolvedLanguage ?? "en", zone: zoneOf(agent.time_zone) };
}
