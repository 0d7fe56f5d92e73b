// Which days a report is about, as its address says it.

/** Days as `2026-11-24`, both of them included. */
export interface Period {
  from: string;
  to: string;
}

export const GROUPINGS = ["day", "agent", "team", "route"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** The last so many days, by name. */
export const PRESETS = [7, 30, 90] as const;
export const DAYS_DEFAULT = 30;
/** A report spans a year at most. */
export const DAYS_MAX = 366;

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Today in a time zone. */
export function today(timeZone: string, now: Date): string {
  // This locale writes days as ISO 8601 does.
  return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" }).format(now);
}

/** The day so many days later. */
export function plusDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The last `days` days up to and with `until`. */
export function lastDays(days: number, until: string): Period {
  return { from: plusDays(until, 1 - days), to: until };
}

export function isDay(text: unknown): text is string {
  return typeof text === "string" && DAY.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
}

/** How many days it has; 0 or less when it ends before it starts. */
export function daysIn({ from, to }: Period): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS) + 1;
}

/** The period that an address asks for: what is missing or makes no sense is as usual. */
export function periodOf(search: { from?: unknown; to?: unknown }, until: string): Period {
  const usual = lastDays(DAYS_DEFAULT, until);
  const to = isDay(search.to) ? search.to : usual.to;
  const from = isDay(search.from) ? search.from : plusDays(to, 1 - DAYS_DEFAULT);
  const days = daysIn({ from, to });
  return days >= 1 && days <= DAYS_MAX ? { from, to } : usual;
}

/** What to ask the API for. Its `to` is not itself included. */
export function questionOf({ from, to }: Period): { from: string; to: string } {
  return { from, to: plusDays(to, 1) };
}

/** Every day of the period, so that a picture has also those on which nothing happened. */
export function everyDay({ from, to }: Period): string[] {
  const days = Math.min(daysIn({ from, to }), DAYS_MAX);
  return Array.from({ length: Math.max(days, 0) }, (_, index) => plusDays(from, index));
}
