import i18next from "i18next";
import { beforeAll, describe, expect, test } from "vitest";
import en from "../locales/en/inbox.json";
import sv from "../locales/sv/inbox.json";
import { whyText } from "../src/offers/why.ts";
import { availabilityText } from "../src/words/availability.ts";
import { dayOf, nearness, spanText, zoneOf } from "../src/words/times.ts";
import { nameOf, pageText, valueText, visitorZone } from "../src/words/visitor.ts";

beforeAll(() =>
  i18next.init({
    lng: "en",
    ns: ["inbox"],
    defaultNS: "inbox" as never,
    resources: { en: { inbox: en }, sv: { inbox: sv } },
  }),
);

const STOCKHOLM = "Europe/Stockholm";
const now = Date.parse("2026-11-24T12:00:00Z");

describe("availability", () => {
  const text = (available: boolean, source: "schedule" | "toggle", until: string | null, language = "en") =>
    availabilityText(
      i18next.getFixedT(language, "inbox"),
      { available, source, until },
      { language, zone: STOCKHOLM, now },
    );

  test.each([
    [true, "schedule", "2026-11-24T16:00:00Z", "Available by schedule until 17:00"],
    [false, "toggle", "2026-11-25T08:00:00Z", "Away by you until tomorrow 09:00"],
    [true, "toggle", "2026-11-24T23:00:00Z", "Available by you until midnight"],
    [false, "schedule", "2026-11-30T08:00:00Z", "Away by schedule until Monday 30 November 09:00"],
    [true, "schedule", null, "Available by schedule"],
  ] as const)("%s by %s until %s", (available, source, until, words) => {
    expect(text(available, source, until)).toBe(words);
  });

  test("in Swedish too", () => {
    expect(text(false, "toggle", "2026-11-25T08:00:00Z", "sv")).toBe(
      "Borta, valt av dig till i morgon 09:00",
    );
  });
});

test.each([
  ["2026-11-24T22:59:59Z", "2026-11-24"],
  ["2026-11-24T23:00:00Z", "2026-11-25"],
  ["2026-06-24T22:00:00Z", "2026-06-25"],
])("%s is on %s in Stockholm", (at, day) => {
  expect(dayOf(Date.parse(at), STOCKHOLM)).toBe(day);
});

test("days have names near to now, over the change of the clock as well", () => {
  expect(nearness(now, now, STOCKHOLM)).toBe("today");
  expect(nearness(Date.parse("2026-11-23T01:00:00Z"), now, STOCKHOLM)).toBe("yesterday");
  expect(nearness(Date.parse("2026-11-20T01:00:00Z"), now, STOCKHOLM)).toBeNull();
  const beforeChange = Date.parse("2026-10-24T22:30:00Z");
  expect(nearness(Date.parse("2026-10-25T23:30:00Z"), beforeChange, STOCKHOLM)).toBe("tomorrow");
});

test("a zone that the browser does not know is not used", () => {
  expect(zoneOf("Mars/Olympus")).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
  expect(zoneOf(STOCKHOLM)).toBe(STOCKHOLM);
});

test("spans are short", () => {
  expect([59_000, 61_000, 3_700_000, 90_000_000].map((ms) => spanText(ms, "en"))).toEqual([
    "59 sec",
    "1 min",
    "1 hr",
    "1 day",
  ]);
});

test("a visitor has the best name there is", () => {
  expect(nameOf({ id: "1", first_name: "Bo", last_name: "Ek", attributes: {} })).toBe("Bo Ek");
  expect(nameOf({ id: "1", email: "bo@example.com", attributes: {} })).toBe("bo@example.com");
  expect(nameOf({ id: "1", attributes: {} })).toBeNull();
});

test("what is missing is a dash", () => {
  expect([null, undefined, "", 0, false, { a: 1 }].map(valueText)).toEqual([
    "–",
    "–",
    "–",
    "0",
    "false",
    '{"a":1}',
  ]);
});

test("pages are told without what only machines read", () => {
  expect(pageText("https://www.shop.example/lamps?utm=1#top")).toBe("shop.example/lamps");
  expect(pageText("no address")).toBe("no address");
});

test("the visitor's clock is known by an attribute or a country with one", () => {
  expect(visitorZone({ id: "1", country: "SE", attributes: {} })).toBe(STOCKHOLM);
  expect(visitorZone({ id: "1", country: "US", attributes: {} })).toBeNull();
  expect(visitorZone({ id: "1", attributes: { time_zone: "America/New_York" } })).toBe("America/New_York");
});

test("why it rings here is a short line", () => {
  const t = i18next.getFixedT("en", "inbox");
  const why = { stage: "team", passed_over_count: 1 } as never;
  expect(whyText(t, why, "team")).toBe(
    "Your team's turn, and yours · 1 colleague before you could not take it",
  );
  expect(whyText(t, null, "agent")).toBe("Asked for you");
});
