import { expect, test } from "vitest";
import { pieces, safeAddress } from "../src/links.ts";

const links = (text: string) =>
  pieces(text).flatMap(({ text: shown, href }) => (href ? [[shown, href]] : []));

test.each([
  ["see https://example.com/a?b=c#d now", [["https://example.com/a?b=c#d", "https://example.com/a?b=c#d"]]],
  ["www.example.com", [["www.example.com", "https://www.example.com/"]]],
  ["write to bo@example.com.", [["bo@example.com", "mailto:bo@example.com"]]],
  ["(https://example.com/a)", [["https://example.com/a", "https://example.com/a"]]],
  [
    "https://en.wikipedia.org/wiki/Lamp_(a)",
    [["https://en.wikipedia.org/wiki/Lamp_(a)", "https://en.wikipedia.org/wiki/Lamp_(a)"]],
  ],
  [
    "https://a.example, https://b.example!",
    [
      ["https://a.example", "https://a.example/"],
      ["https://b.example", "https://b.example/"],
    ],
  ],
  ["http://", []],
  ["javascript:alert(1) data:text/html,x file:///etc/passwd", []],
])("in %j", (text, expected) => {
  expect(links(text)).toEqual(expected);
});

test.each([
  "",
  "no link",
  "https://example.com",
  " a https://b.example c ",
  "<b>www.example.com</b>",
  "å😀 bo@example.com",
])("the pieces of %j are the text", (text) => {
  expect(
    pieces(text)
      .map((piece) => piece.text)
      .join(""),
  ).toBe(text);
});

test.each([
  "javascript:alert(1)",
  " javascript:alert(1)",
  "java\nscript:alert(1)",
  "data:text/html,x",
  "//x",
  "x",
  "https://",
])("%j is no safe address", (address) => {
  expect(safeAddress(address)).toBeNull();
});

test("a long text without a link is read in a moment", () => {
  const text = `${"a.".repeat(2_000)}${"(".repeat(2_000)} ${"x@".repeat(1_000)}`;
  expect(links(text)).toEqual([]);
});
