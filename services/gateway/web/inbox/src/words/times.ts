// Times as people say them, in the agent's time zone and language.

/** The zone that is shown: the agent's own, else the browser's. One the browser does not know is not used. */
export function zoneOf(agentZone: string | null | undefined): string {
  const browsers = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!agentZone) return browsers;
  try {
    new Intl.DateTimeFormat("en", { timeZone: agentZone });
    return agentZone;
  } catch {
    return browsers;
  }
}

const QUARTER_MS = 15 * 60 * 1000;
const dayCaches = new Map<string, Map<number, string>>();

/** The day in the zone, as `2026-11-24`. Zones differ by quarters of an hour, so each need be asked once. */
export function dayOf(ms: number, zone: string): string {
  let days = dayCaches.get(zone);
  if (!days || days.size > 5_000) {
    days = new Map();
    dayCaches.set(zone, days);
  }
  const quarter = Math.floor(ms / QUARTER_MS);
  let day = days.get(quarter);
  if (day === undefined) {
    day = formatter("sv", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(ms);
    days.set(quarter, day);
  }
  return day;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${JSON.stringify(options)}`;
  let made = formatters.get(key);
  if (!made) {
    // English is spoken everywhere: days before months, and a clock of 24 hours, as for everybody else.
    made = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, {
      hourCycle: "h23",
      ...options,
    });
    formatters.set(key, made);
  }
  return made;
}

/** `14:05`. */
export function timeText(at: string | number, language: string, zone: string): string {
  return formatter(language, { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(new Date(at));
}

/** How a day lies to now, in words where there are any: `null` means that it has to be named. */
export function nearness(at: number, now: number, zone: string): "today" | "tomorrow" | "yesterday" | null {
  const day = dayOf(at, zone);
  if (day === dayOf(now, zone)) return "today";
  const dayMs = 24 * 60 * 60 * 1000;
  if (day === shifted(dayOf(now, zone), dayMs)) return "tomorrow";
  return day === shifted(dayOf(now, zone), -dayMs) ? "yesterday" : null;
}

function shifted(day: string, byMs: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + byMs).toISOString().slice(0, 10);
}

/** `Tuesday 24 November`; with the year where it is another one. */
export function dayText(at: number, now: number, language: string, zone: string): string {
  const isThisYear = dayOf(at, zone).slice(0, 4) === dayOf(now, zone).slice(0, 4);
  return formatter(language, {
    timeZone: zone,
    weekday: "long",
    day: "numeric",
    month: "long",
    ...(isThisYear ? {} : { year: "numeric" as const }),
  }).format(at);
}

/** `24 Nov 14:05`: short, for lists. */
export function dateTimeText(at: string, language: string, zone: string): string {
  return formatter(language, {
    timeZone: zone,
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  }).format(new Date(at));
}

/** How long something lasts, short: `45 s`, `12 min`, `3 h`, `2 d`. */
export function spanText(ms: number, language: string): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const [value, unit] =
    seconds < 60
      ? ([seconds, "second"] as const)
      : seconds < 3_600
        ? ([Math.floor(seconds / 60), "minute"] as const)
        : seconds < 86_400
          ? ([Math.floor(seconds / 3_600), "hour"] as const)
          : ([Math.floor(seconds / 86_400), "day"] as const);
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(value);
}

/** The time of day at a place, by its zone; `null` for a zone the browser does not know. */
export function localTimeText(zone: string, now: number, language: string): string | null {
  try {
    return timeText(now, language, zone);
  } catch {
    return null;
  }
}
