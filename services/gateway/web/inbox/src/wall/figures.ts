// What the wall shows, worked out from the last windows of live metrics.

import type { components } from "@rondo/client";

export type MetricsWindow = components["schemas"]["MetricsWindow"];
type Waits = components["schemas"]["WaitFigures"];

/** The windows by time. One that comes again corrects the one before; the oldest make room. */
export function withWindow(
  windows: readonly MetricsWindow[],
  window: MetricsWindow,
  keptMax = 30,
): MetricsWindow[] {
  const others = windows.filter((each) => each.window_start !== window.window_start);
  const sorted = [...others, window].sort((one, other) =>
    one.window_start.localeCompare(other.window_start),
  );
  return sorted.slice(-keptMax);
}

export const COUNTS = ["requested", "offered", "accepted", "missed", "declined", "withdrawn"] as const;
export type Count = (typeof COUNTS)[number];

/** Counts of several windows together. */
export function totals(windows: readonly MetricsWindow[]): Record<Count, number> {
  const sum = (name: Count) => windows.reduce((all, each) => all + (each[name] ?? 0), 0);
  return Object.fromEntries(COUNTS.map((name) => [name, sum(name)])) as Record<Count, number>;
}

/** Fallbacks by reason, most of them first. */
export function fallbacks(windows: readonly MetricsWindow[]): { reason: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const window of windows) {
    for (const [reason, count] of Object.entries(window.fell_back ?? {})) {
      counts.set(reason, (counts.get(reason) ?? 0) + (count ?? 0));
    }
  }
  return [...counts]
    .map(([reason, count]) => ({ reason, count }))
    .filter(({ count }) => count > 0)
    .sort((one, other) => other.count - one.count || one.reason.localeCompare(other.reason));
}

/** The wait that `share` of the waits of all windows kept to, at most one bucket too high; null without any. */
export function percentileS(waits: readonly Waits[], share: number): number | null {
  const counts = new Map<number, number>();
  let count = 0;
  let longest = 0;
  for (const each of waits) {
    count += each.count ?? 0;
    longest = Math.max(longest, each.max_s ?? 0);
    for (const bucket of each.histogram ?? []) {
      const end = bucket.up_to_s ?? Number.POSITIVE_INFINITY;
      counts.set(end, (counts.get(end) ?? 0) + bucket.count);
    }
  }
  if (count === 0) return null;
  let seen = 0;
  for (const [end, inBucket] of [...counts].sort(([one], [other]) => one - other)) {
    seen += inBucket;
    if (seen >= share * count) return Math.min(end, longest);
  }
  return longest;
}

/** How it stands: the last window's levels. A silence longer than `staleMs` means nothing is open. */
export function levels(
  windows: readonly MetricsWindow[],
  nowMs: number,
  staleMs = 45_000,
): { waiting: number; queue: number; active: number } {
  const last = windows.at(-1);
  if (!last || nowMs - Date.parse(last.window_end) > staleMs) return { waiting: 0, queue: 0, active: 0 };
  return { waiting: last.waiting ?? 0, queue: last.queue_length ?? 0, active: last.active ?? 0 };
}

/** A point of the picture: one window, or a moment in which nothing happened. */
export interface Point {
  at: number;
  requested: number;
  accepted: number;
  queue: number;
}

/** One point a window over the last `spanMs`; windows without anything in them were never told. */
export function series(
  windows: readonly MetricsWindow[],
  nowMs: number,
  stepMs = 10_000,
  spanMs = 300_000,
): Point[] {
  const byStart = new Map(windows.map((each) => [Date.parse(each.window_start), each]));
  const last = Math.floor(nowMs / stepMs) * stepMs - stepMs;
  const points: Point[] = [];
  for (let at = last - spanMs + stepMs; at <= last; at += stepMs) {
    const window = byStart.get(at);
    points.push({
      at,
      requested: window?.requested ?? 0,
      accepted: window?.accepted ?? 0,
      queue: window?.queue_length ?? 0,
    });
  }
  return points;
}

/** One agent of the roster, as the wall needs them. */
export interface Seat {
  id: string;
  name: string;
  available: boolean;
  present: boolean;
  load: number;
  capacity: number;
}

/** The agents as the wall lists them: those who can take a chat first, then the full, then those away. */
export function seated<T extends Seat>(agents: readonly T[]): T[] {
  const rank = (each: Seat) => (!each.available ? 2 : each.load >= each.capacity ? 1 : 0);
  return [...agents].sort(
    (one, other) => rank(one) - rank(other) || other.load - one.load || one.name.localeCompare(other.name),
  );
}
