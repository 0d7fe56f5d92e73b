// Whether the agent is available, by what and until when, in a sentence.

import type { TFunction } from "i18next";
import type { Availability } from "../desk/desk.ts";
import { dayText, nearness, timeText } from "./times.ts";

/** `Available by schedule until 17:00`, `Away by you until tomorrow 09:00`. */
export function availabilityText(
  t: TFunction<"inbox">,
  { available, source, until }: Availability,
  { language, zone, now }: { language: string; zone: string; now: number },
): string {
  const state = available
    ? t(source === "toggle" ? "availability.available_by_you" : "availability.available_by_schedule")
    : t(source === "toggle" ? "availability.away_by_you" : "availability.away_by_schedule");
  if (!until) return state;
  return t("availability.until", {
    state,
    moment: momentText(t, Date.parse(until), { language, zone, now }),
  });
}

/** `17:00`, `tomorrow 09:00`, `Monday 30 November 09:00`; the end of the day is called so. */
export function momentText(
  t: TFunction<"inbox">,
  at: number,
  { language, zone, now }: { language: string; zone: string; now: number },
): string {
  const time = timeText(at, language, zone);
  const near = nearness(at, now, zone);
  // Midnight belongs to the day before it, for whoever speaks of tonight.
  if (near === "tomorrow" && isMidnight(at, zone)) return t("availability.midnight");
  if (near === "today") return time;
  if (near === "tomorrow") return t("availability.tomorrow", { time });
  return t("availability.day_at", { day: dayText(at, now, language, zone), time });
}

function isMidnight(at: number, zone: string): boolean {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  return parts.format(at) === "00:00";
}
