import { describe, expect, test } from "vitest";
import { everyDay, lastDays, periodOf, questionOf, today } from "../src/reports/period.ts";
import { bars, fellBack, inOrder, type Row, spoken } from "../src/reports/rows.ts";
import {
  fallbacks,
  levels,
  type MetricsWindow,
  percentileS,
  seated,
  series,
  totals,
  withWindow,
} from "../src/wall/figures.ts";

const NO_WAIT = { count: 0, sum_s: 0, max_s: 0, histogram: [], p50_s: null, p90_s: null, p99_s: null };

function windowAt(second: number, given: Partial<MetricsWindow> = {}): MetricsWindow {
  const at = (offset: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, second + offset)).toISOString();
  return {
    window_start: at(0),
    window_end: at(10),
    offer_wait: NO_WAIT,
    accept_wait: NO_WAIT,
    service_level_s: 60,
    ...given,
  } as MetricsWindow;
}

const NOON = Date.UTC(2026, 0, 1, 12, 0, 0);

describe("the wall", () => {
  test("takes a window's correction in its place, and forgets the oldest", () => {
    const windows = [windowAt(0), windowAt(10)];
    const corrected = withWindow(windows, windowAt(0, { requested: 2 }));
    expect(corrected.map(({ requested }) => requested)).toEqual([2, undefined]);
    expect(withWindow(corrected, windowAt(20), 2).map(({ window_start }) => window_start)).toEqual([
      windowAt(10).window_start,
      windowAt(20).window_start,
    ]);
  });

  test("adds up counts, and fallbacks by reason with most first", () => {
    const windows = [
      windowAt(0, { requested: 2, missed: 1, fell_back: { not_answered: 1 } }),
      windowAt(10, { requested: 3, fell_back: { nobody_available: 2, not_answered: 1, queue_full: 0 } }),
    ];
    expect(totals(windows)).toMatchObject({ requested: 5, missed: 1, accepted: 0 });
    expect(fallbacks(windows)).toEqual([
      { reason: "nobody_available", count: 2 },
      { reason: "not_answered", count: 2 },
    ]);
  });

  test("reads percentiles from the histograms of all windows together", () => {
    const waits = (max_s: number, ...histogram: [number | null, number][]) => ({
      ...NO_WAIT,
      count: histogram.reduce((sum, [, count]) => sum + count, 0),
      max_s,
      histogram: histogram.map(([up_to_s, count]) => ({ up_to_s, count })),
    });
    const several = [waits(0.9, [1, 8]), waits(28, [30, 1]), waits(4000, [null, 1])];
    expect(percentileS(several, 0.5)).toBe(1);
    expect(percentileS(several, 0.9)).toBe(30);
    expect(percentileS(several, 1)).toBe(4000);
    expect(percentileS([waits(0.4, [1, 3])], 0.5)).toBe(0.4);
    expect(percentileS([NO_WAIT], 0.5)).toBeNull();
  });

  test("shows the last levels, and nothing open after a silence", () => {
    const windows = [windowAt(0, { waiting: 3, queue_length: 2, active: 1 })];
    expect(levels(windows, NOON + 20_000)).toEqual({ waiting: 3, queue: 2, active: 1 });
    expect(levels(windows, NOON + 60_000)).toEqual({ waiting: 0, queue: 0, active: 0 });
    expect(levels([], NOON)).toEqual({ waiting: 0, queue: 0, active: 0 });
  });

  test("has a point for every step of the last minutes, also where nothing was told", () => {
    const points = series([windowAt(0, { requested: 4 })], NOON + 25_000, 10_000, 30_000);
    expect(points.map(({ at, requested }) => [at - NOON, requested])).toEqual([
      [-10_000, 0],
      [0, 4],
      [10_000, 0],
    ]);
  });

  test("seats those first who can take a chat", () => {
    const seat = (name: string, available: boolean, load: number) => ({
      id: name,
      name,
      available,
      present: true,
      load,
      capacity: 2,
    });
    const agents = [seat("away", false, 0), seat("full", true, 2), seat("b", true, 0), seat("a", true, 1)];
    expect(seated(agents).map(({ name }) => name)).toEqual(["a", "b", "full", "away"]);
  });
});

describe("a report's days", () => {
  test("are as the address says, or the last thirty", () => {
    expect(periodOf({ from: "2026-01-01", to: "2026-01-31" }, "2026-02-10")).toEqual({
      from: "2026-01-01",
      to: "2026-01-31",
    });
    expect(periodOf({}, "2026-03-01")).toEqual({ from: "2026-01-31", to: "2026-03-01" });
  });

  test.each([
    { from: "2026-02-10", to: "2026-01-01" },
    { from: "2020-01-01", to: "2026-01-01" },
    { from: "yesterday", to: 7 },
    { from: "2026-13-45" },
  ])("are the last thirty when they make no sense: %j", (search) => {
    expect(periodOf(search, "2026-03-01")).toEqual(lastDays(30, "2026-03-01"));
  });

  test("are asked for with an end that is not itself included", () => {
    expect(questionOf({ from: "2026-02-28", to: "2026-02-28" })).toEqual({
      from: "2026-02-28",
      to: "2026-03-01",
    });
  });

  test("begin when they begin in the workspace's time zone", () => {
    const late = new Date("2026-01-01T23:30:00Z");
    expect(today("UTC", late)).toBe("2026-01-01");
    expect(today("Europe/Stockholm", late)).toBe("2026-01-02");
    expect(today("America/New_York", late)).toBe("2026-01-01");
  });

  test("are all there, over a change of clocks as well", () => {
    expect(everyDay({ from: "2026-03-28", to: "2026-03-30" })).toEqual([
      "2026-03-28",
      "2026-03-29",
      "2026-03-30",
    ]);
  });
});

describe("a report's rows", () => {
  const none = { p50: null, p90: null, p99: null };
  const row = (group: string, given: Partial<Row> = {}): Row =>
    ({
      group,
      requested: 0,
      offered: 0,
      accepted: 0,
      missed: 0,
      declined: 0,
      withdrawn: 0,
      fell_back: {},
      queue_wait_s: none,
      first_response_s: none,
      handling_s: none,
      ...given,
    }) as Row;

  test("stand by day, or by how much they had", () => {
    const rows = [row("b", { offered: 2 }), row("a", { offered: 2 }), row("c", { requested: 9 })];
    expect(inOrder(rows, "agent").map(({ group }) => group)).toEqual(["c", "a", "b"]);
    expect(inOrder(rows, "day").map(({ group }) => group)).toEqual(["a", "b", "c"]);
  });

  test("make a picture with every day of the period", () => {
    const drawn = bars(
      [row("2026-01-02", { requested: 3, fell_back: { not_answered: 1, queue_full: 1 } })],
      "day",
      {
        from: "2026-01-01",
        to: "2026-01-03",
      },
    );
    expect(drawn.map(({ group, requested, fell_back }) => [group, requested, fell_back])).toEqual([
      ["2026-01-01", 0, 0],
      ["2026-01-02", 3, 2],
      ["2026-01-03", 0, 0],
    ]);
    expect(fellBack(row("x"))).toBe(0);
  });

  test.each([
    [null, "–"],
    [0.44, "0.4 s"],
    [9.96, "10 s"],
    [59.6, "1:00 min"],
    [125, "2:05 min"],
    [4210, "1:10 h"],
  ])("say %s seconds as %s", (seconds, words) => {
    expect(spoken(seconds)).toBe(words);
  });
});
