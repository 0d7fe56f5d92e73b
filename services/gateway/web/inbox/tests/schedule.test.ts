import { describe, expect, test } from "vitest";
import { agentBody, agentForm, newAgent, wrongFields } from "../src/console/agent_form.ts";
import { keys } from "../src/console/conditions.ts";
import type { Shown } from "../src/console/kinds.ts";
import {
  blocksOf,
  copied,
  emptyWeek,
  hoursOf,
  isOverMidnight,
  lengthOf,
  officeWeek,
  type ScheduleBlock,
  spansOfDay,
  WEEKDAYS,
  type Weekday,
  weekOf,
  withBlock,
  withoutBlock,
  withTimes,
  wrong,
} from "../src/console/schedule.ts";

const BLOCKS: ScheduleBlock[] = [
  { weekday: "mon", from: "13:00", to: "17:00" },
  { weekday: "mon", from: "09:00", to: "12:30" },
  { weekday: "sun", from: "22:00", to: "02:00" },
];

describe("a week", () => {
  test("has the blocks of each day by time, and gives them all back", () => {
    const week = weekOf(BLOCKS, keys());
    expect(week.mon.map(({ from }) => from)).toEqual(["09:00", "13:00"]);
    expect(blocksOf(week)).toEqual([BLOCKS[1], BLOCKS[0], BLOCKS[2]]);
  });

  test("counts each minute once", () => {
    expect(hoursOf(weekOf(BLOCKS, keys()))).toBe(11.5);
    const twice = weekOf([...BLOCKS, { weekday: "mon", from: "10:00", to: "14:00" }], keys());
    expect(hoursOf(twice)).toBe(12);
    const always = WEEKDAYS.map((weekday) => ({ weekday, from: "00:00", to: "00:00" }));
    expect(hoursOf(weekOf(always, keys()))).toBe(168);
  });

  test("shows a night on both of its days, also from Sunday to Monday", () => {
    const week = weekOf(BLOCKS, keys());
    expect(spansOfDay(week, "sun")).toEqual([{ start: 22 * 60, end: 24 * 60 }]);
    expect(spansOfDay(week, "mon")[0]).toEqual({ start: 0, end: 2 * 60 });
  });

  test("knows what goes over midnight", () => {
    expect(isOverMidnight({ from: "22:00", to: "02:00" })).toBe(true);
    expect(isOverMidnight({ from: "09:00", to: "09:00" })).toBe(true);
    expect(isOverMidnight({ from: "09:00", to: "09:01" })).toBe(false);
    expect(isOverMidnight({ from: "", to: "02:00" })).toBe(false);
    expect(lengthOf({ from: "22:00", to: "02:00" })).toBe(240);
    expect(lengthOf({ from: "09:00", to: "09:00" })).toBe(1440);
  });
});

describe("an edited week", () => {
  test("gets blocks after those that are there, where the day has room", () => {
    const nextKey = keys();
    let week = withBlock(emptyWeek(), "tue", nextKey);
    expect(blocksOf(week)).toEqual([{ weekday: "tue", from: "09:00", to: "17:00" }]);
    week = withBlock(week, "tue", nextKey);
    expect(blocksOf(week)[1]).toEqual({ weekday: "tue", from: "18:00", to: "22:00" });
    const late = withBlock(
      weekOf([{ weekday: "tue", from: "20:00", to: "23:30" }], nextKey),
      "tue",
      nextKey,
    );
    expect(blocksOf(late)[1]?.from).toBe("09:00");
  });

  test("changes and loses the block meant", () => {
    const week = weekOf(BLOCKS, keys());
    const key = week.mon[0]?.key ?? 0;
    expect(withTimes(week, key, { to: "11:00" }).mon[0]).toMatchObject({ from: "09:00", to: "11:00" });
    expect(withoutBlock(week, key).mon).toHaveLength(1);
    expect(withoutBlock(week, key).sun).toHaveLength(1);
  });

  test("copies a day onto others, each block under a key of its own", () => {
    const nextKey = keys();
    const week = copied(weekOf(BLOCKS, nextKey), "mon", WEEKDAYS, nextKey);
    expect(week.sun.map(({ from }) => from)).toEqual(["09:00", "13:00"]);
    const all = WEEKDAYS.flatMap((day: Weekday) => week[day].map(({ key }) => key));
    expect(new Set(all).size).toBe(14);
  });

  test("says which blocks lack a time, and which begin inside another one", () => {
    const nextKey = keys();
    const week = weekOf(
      [
        { weekday: "sun", from: "22:00", to: "02:00" },
        { weekday: "mon", from: "01:00", to: "03:00" },
        { weekday: "wed", from: "09:00", to: "12:00" },
        { weekday: "wed", from: "12:00", to: "13:00" },
        { weekday: "fri", from: "", to: "13:00" },
      ],
      nextKey,
    );
    const found = wrong(week);
    expect(found.get(week.mon[0]?.key ?? 0)).toBe("overlap");
    expect(found.get(week.fri[0]?.key ?? 0)).toBe("time");
    expect(found.size).toBe(2);
  });
});

const AGENT: Shown<"agents"> = {
  id: "ada",
  name: "Ada",
  email: "ada@example.com",
  avatar_url: null,
  time_zone: "Europe/Stockholm",
  capacity: 10,
  own_capacity: null,
  profile: "live_agent",
  live_chat: true,
  schedule: null,
  notifications: { sound: true, web_push: false, email: true },
};

describe("an agent's form", () => {
  test.each([
    ["always", null],
    ["never", []],
    ["week", [{ weekday: "sun", from: "22:00", to: "02:00" }]],
  ] as const)("keeps a schedule of %s", (mode, schedule) => {
    const form = agentForm({ ...AGENT, schedule: schedule as ScheduleBlock[] | null }, keys());
    expect(form.mode).toBe(mode);
    expect(agentBody(form).schedule).toEqual(schedule);
  });

  test("leaves the workspace's capacity to the workspace, and an own one to the agent", () => {
    expect(agentBody(agentForm(AGENT, keys())).capacity).toBeNull();
    expect(agentBody(agentForm({ ...AGENT, capacity: 3, own_capacity: 3 }, keys())).capacity).toBe(3);
  });

  test("says all of an agent again", () => {
    const { id: _id, capacity: _capacity, own_capacity, ...rest } = AGENT;
    expect(agentBody(agentForm(AGENT, keys()))).toEqual({ ...rest, capacity: own_capacity });
  });

  test("names what cannot be sent", () => {
    const nextKey = keys();
    const form = { ...newAgent("UTC"), mode: "week" as const, schedule: officeWeek(nextKey) };
    expect(wrongFields(form)).toEqual(["name", "email"]);
    const schedule = withTimes(form.schedule, form.schedule.mon[0]?.key ?? 0, { from: "" });
    expect(wrongFields({ ...form, name: "A", email: "a@b", schedule })).toEqual(["schedule"]);
    expect(wrongFields({ ...form, name: "A", email: "a@b", schedule, mode: "always" })).toEqual([]);
  });
});
