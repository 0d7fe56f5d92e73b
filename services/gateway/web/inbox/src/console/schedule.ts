// An agent's week as blocks, several a day, some of them over midnight.

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** A block as the API has it. A `to` at or before `from` is on the next day. */
export interface ScheduleBlock {
  weekday: Weekday;
  from: string;
  to: string;
}

/** A block while it is edited. */
export interface Block {
  key: number;
  from: string;
  to: string;
}
export type Week = Record<Weekday, Block[]>;

export const MINUTES_A_DAY = 24 * 60;
export const MINUTES_A_WEEK = 7 * MINUTES_A_DAY;
const CLOCK_TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

/** The week that these blocks make, each day by time. */
export function weekOf(blocks: readonly ScheduleBlock[], nextKey: () => number): Week {
  const week = emptyWeek();
  for (const { weekday, from, to } of blocks) week[weekday].push({ key: nextKey(), from, to });
  for (const day of WEEKDAYS) week[day].sort((one, other) => one.from.localeCompare(other.from));
  return week;
}

/** The blocks of a week, as the API takes them. */
export function blocksOf(week: Week): ScheduleBlock[] {
  return WEEKDAYS.flatMap((weekday) => week[weekday].map(({ from, to }) => ({ weekday, from, to })));
}

export function emptyWeek(): Week {
  return { mon: [], tue: [], wed: [], thu: [], fri: [], sat: [], sun: [] };
}

/** Monday to Friday, nine to five. */
export function officeWeek(nextKey: () => number): Week {
  const week = emptyWeek();
  for (const day of WEEKDAYS.slice(0, 5)) week[day] = [{ key: nextKey(), from: "09:00", to: "17:00" }];
  return week;
}

export function isClockTime(text: string): boolean {
  return CLOCK_TIME.test(text);
}

/** Minutes since midnight. */
export function minuteOf(time: string): number {
  const [hours = "0", minutes = "0"] = time.split(":");
  return Number(hours) * 60 + Number(minutes);
}

export function isOverMidnight({ from, to }: { from: string; to: string }): boolean {
  return isClockTime(from) && isClockTime(to) && minuteOf(to) <= minuteOf(from);
}

/** How long it is, in minutes. */
export function lengthOf({ from, to }: { from: string; to: string }): number {
  const minutes = minuteOf(to) - minuteOf(from);
  return minutes > 0 ? minutes : minutes + MINUTES_A_DAY;
}

/** The hours of the week, each minute counted once. */
export function hoursOf(week: Week): number {
  return spans(week).reduce((sum, { start, end }) => sum + end - start, 0) / 60;
}

export interface Span {
  start: number;
  end: number;
}

/** When somebody is there, in minutes of the week from Monday 00:00: in order, joined where they touch. */
export function spans(week: Week): Span[] {
  const pieces = WEEKDAYS.flatMap((day, index) =>
    week[day].filter(isWhole).flatMap((block) => {
      const start = index * MINUTES_A_DAY + minuteOf(block.from);
      const end = start + lengthOf(block);
      if (end <= MINUTES_A_WEEK) return [{ start, end }];
      // Sunday's night ends on Monday.
      return [
        { start, end: MINUTES_A_WEEK },
        { start: 0, end: end - MINUTES_A_WEEK },
      ];
    }),
  ).sort((one, other) => one.start - other.start);
  const joined: Span[] = [];
  for (const each of pieces) {
    const last = joined.at(-1);
    if (last && each.start <= last.end) last.end = Math.max(last.end, each.end);
    else joined.push({ ...each });
  }
  return joined;
}

/** What one day's bar shows of the week: parts of the day, in minutes since its midnight. */
export function spansOfDay(week: Week, day: Weekday): Span[] {
  const midnight = WEEKDAYS.indexOf(day) * MINUTES_A_DAY;
  return spans(week).flatMap(({ start, end }) => {
    const from = Math.max(start - midnight, 0);
    const to = Math.min(end - midnight, MINUTES_A_DAY);
    return from < to ? [{ start: from, end: to }] : [];
  });
}

/** The keys of blocks without two times, or that begin inside another one of their day or of the night before. */
export function wrong(week: Week): Map<number, "time" | "overlap"> {
  const found = new Map<number, "time" | "overlap">();
  const whole: { key: number; start: number; end: number }[] = [];
  WEEKDAYS.forEach((day, index) => {
    for (const block of week[day]) {
      if (!isWhole(block)) {
        found.set(block.key, "time");
        continue;
      }
      const start = index * MINUTES_A_DAY + minuteOf(block.from);
      whole.push({ key: block.key, start, end: start + lengthOf(block) });
    }
  });
  for (const one of whole) {
    const isInside = whole.some(
      (other) => other !== one && (covers(other, one.start) || covers(other, one.start + MINUTES_A_WEEK)),
    );
    if (isInside) found.set(one.key, "overlap");
  }
  return found;
}

function covers(span: Span, minute: number): boolean {
  return span.start <= minute && minute < span.end;
}

function isWhole({ from, to }: Block): boolean {
  return isClockTime(from) && isClockTime(to);
}

/** The week with a new block on a day: after the last one where there is room, else the whole morning. */
export function withBlock(week: Week, day: Weekday, nextKey: () => number): Week {
  const last = week[day].at(-1);
  const start = last && isWhole(last) && !isOverMidnight(last) ? minuteOf(last.to) + 60 : 9 * 60;
  const from = start < MINUTES_A_DAY - 60 ? start : 9 * 60;
  const to = Math.min(from + (last ? 4 : 8) * 60, MINUTES_A_DAY - 1);
  const block = { key: nextKey(), from: clockTime(from), to: clockTime(to) };
  return { ...week, [day]: [...week[day], block] };
}

/** The week with one block changed. */
export function withTimes(week: Week, key: number, times: Partial<Omit<Block, "key">>): Week {
  return mapped(week, (blocks) => blocks.map((each) => (each.key === key ? { ...each, ...times } : each)));
}

/** The week without one block. */
export function withoutBlock(week: Week, key: number): Week {
  return mapped(week, (blocks) => blocks.filter((each) => each.key !== key));
}

/** The week where other days are as one is. */
export function copied(week: Week, day: Weekday, onto: readonly Weekday[], nextKey: () => number): Week {
  const result = { ...week };
  for (const other of onto) {
    if (other !== day) result[other] = week[day].map((each) => ({ ...each, key: nextKey() }));
  }
  return result;
}

function mapped(week: Week, change: (blocks: Block[]) => Block[]): Week {
  return Object.fromEntries(WEEKDAYS.map((day) => [day, change(week[day])])) as Week;
}

export function clockTime(minute: number): string {
  const hours = Math.floor(minute / 60) % 24;
  return `${String(hours).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}
