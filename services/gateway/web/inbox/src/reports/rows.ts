// A report's rows, as its picture and its table need them.

import type { components } from "@rondo/client";
import { everyDay, type Grouping, type Period } from "./period.ts";

export type Row = components["schemas"]["ReportRow"];

export const COUNTS = ["requested", "offered", "accepted", "missed", "declined", "withdrawn"] as const;
export type Count = (typeof COUNTS)[number];
export const DURATIONS = ["queue_wait_s", "first_response_s", "handling_s"] as const;
export type Duration = (typeof DURATIONS)[number];

/** How many bars a picture has; more cannot be told apart. */
export const BARS_MAX = 20;

/** All fallbacks of a row. */
export function fellBack(row: Pick<Row, "fell_back">): number {
  return Object.values(row.fell_back).reduce((sum, count) => sum + (count ?? 0), 0);
}

/** The rows in the order in which they are read: days by date, all others by how much they had. */
export function inOrder(rows: readonly Row[], grouping: Grouping): Row[] {
  const weight = (row: Row) => Math.max(row.requested, row.offered);
  return [...rows].sort((one, other) =>
    grouping === "day"
      ? one.group.localeCompare(other.group)
      : weight(other) - weight(one) || one.group.localeCompare(other.group),
  );
}

/** One bar or point of the picture. */
export interface Bar {
  group: string;
  requested: number;
  offered: number;
  accepted: number;
  missed: number;
  fell_back: number;
}

/** What the picture shows: every day of the period, or the groups that had most. */
export function bars(rows: readonly Row[], grouping: Grouping, period: Period): Bar[] {
  const ordered = inOrder(rows, grouping);
  if (grouping !== "day") return ordered.slice(0, BARS_MAX).map(barOf);
  const byDay = new Map(ordered.map((row) => [row.group, row]));
  return everyDay(period).map((day) => {
    const row = byDay.get(day);
    return row ? barOf(row) : { ...EMPTY, group: day };
  });
}

const EMPTY: Bar = { group: "", requested: 0, offered: 0, accepted: 0, missed: 0, fell_back: 0 };

function barOf(row: Row): Bar {
  const { group, requested, offered, accepted, missed } = row;
  return { group, requested, offered, accepted, missed, fell_back: fellBack(row) };
}

/** A duration as people say it: `8 s`, `2:05 min`, `1:10 h`; a dash where nothing was measured. */
export function spoken(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}:${pad(whole % 60)} min`;
  return `${Math.floor(whole / 3600)}:${pad(Math.floor((whole % 3600) / 60))} h`;
}
