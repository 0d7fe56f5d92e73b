import { describe, expect, test } from "vitest";
import { languageFor } from "../src/i18n/texts.ts";

const FILES = import.meta.glob<{ default: object }>("../locales/*/*.json", { eager: true });
const AREAS = areasOf("en");
const OTHERS = [...new Set(Object.keys(FILES).map((file) => partsOf(file).language))].filter(
  (language) => language !== "en",
);

describe.each(OTHERS)("%s", (language) => {
  test("has every area", () => {
    expect(areasOf(language)).toEqual(AREAS);
  });

  test.each(AREAS)("says all that English says in %s, with the same places to fill", (area) => {
    const english = leavesOf(textsOf("en", area));
    const other = leavesOf(textsOf(language, area));
    expect([...other.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [key, text] of english) expect(placesOf(other.get(key) ?? ""), key).toEqual(placesOf(text));
  });
});

test("the browser's first known language is spoken, unless one was chosen", () => {
  expect(languageFor(null, ["fi", "sv-SE", "en"])).toBe("sv");
  expect(languageFor("en", ["sv"])).toBe("en");
  expect(languageFor(null, ["ar"])).toBe("en");
});

function textsOf(language: string, area: string): object {
  return FILES[`../locales/${language}/${area}.json`]?.default ?? {};
}

function areasOf(language: string): string[] {
  const areas = Object.keys(FILES).map(partsOf);
  return areas.filter((each) => each.language === language).map(({ area }) => area);
}

function partsOf(file: string): { language: string; area: string } {
  const [, language = "", area = ""] = /\.\.\/locales\/(\w+)\/(\w+)\.json/.exec(file) ?? [];
  return { language, area };
}

function leavesOf(texts: object, above = ""): Map<string, string> {
  const leaves = Object.entries(texts).flatMap(([name, value]) =>
    typeof value === "string"
      ? [[above + name, value] as const]
      : [...leavesOf(value, `${above}${name}.`).entries()],
  );
  return new Map(leaves);
}

function placesOf(text: string): string[] {
  return [...text.matchAll(/\{\{[^}]+\}\}|<\/?\w+>/g)].map(([place]) => place).sort();
}
