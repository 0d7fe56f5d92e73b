import { RondoError } from "@rondo/client";
import i18next from "i18next";
import { beforeAll, expect, test } from "vitest";
import app from "../locales/en/app.json";
import { problemText } from "../src/app/problem.ts";
import { retryDelayMs } from "../src/app/queries.ts";

beforeAll(() => i18next.init({ lng: "en", ns: ["app"], defaultNS: "app", resources: { en: { app } } }));

const text = (status: number, code: string, retryAfterMs: number | null = null) =>
  problemText(i18next.t, new RondoError("detail", { code, status, retryAfterMs }));

test("an agent is told how long to wait", () => {
  expect(text(429, "too-many-requests", 12_000)).toContain("12 seconds");
  expect(text(429, "too-many-requests", 900)).toContain("1 second.");
});

test.each([
  [503, "unavailable", "Nothing was lost"],
  [0, "network", "connection"],
  [409, "conversation-already-taken", "quicker"],
  [409, "something-new", "not possible as things are"],
  [500, "http-500", "try again in a moment"],
  [418, "teapot", "detail"],
])("%d %s is told in words", (status, code, part) => {
  expect(text(status, code)).toContain(part);
});

test("a question is not repeated before the server asks for it", () => {
  const busy = new RondoError("busy", { code: "unavailable", status: 503, retryAfterMs: 20_000 });
  expect(retryDelayMs(0, busy)).toBe(20_000);
  expect(retryDelayMs(2, new Error("?"))).toBe(4_000);
});
