import { expect, test } from "vitest";
import { languageFor, ownUnlessDefault } from "../src/texts.ts";

test.each([
  ["sv", "Starta chatten"],
  ["sv-FI", "Starta chatten"],
  ["SV", "Starta chatten"],
  ["en-GB", "Start chat"],
  ["ar", "Start chat"],
  ["", "Start chat"],
])("a page in %j reads %j", (wanted, expected) => {
  expect(languageFor(wanted, "ltr").say("start")).toBe(expected);
});

test("numbers are spoken of as they should be", () => {
  const { count } = languageFor("en", "ltr");
  expect([count("wait", 1), count("wait", 4)]).toEqual([
    "The wait is about 1 minute.",
    "The wait is about 4 minutes.",
  ]);
});

test("a name with braces or dollars is shown as it is", () => {
  expect(languageFor("en", "ltr").say("typing", { name: "$& {name}" })).toBe("$& {name} is typing…");
});

test("a website's own title is kept, and the default one is translated", () => {
  const swedish = languageFor("sv", "ltr");
  expect(ownUnlessDefault(swedish, "title", "Chat with us")).toBe("Chatta med oss");
  expect(ownUnlessDefault(swedish, "title", undefined)).toBe("Chatta med oss");
  expect(ownUnlessDefault(swedish, "title", "Ask Nordlys")).toBe("Ask Nordlys");
});
