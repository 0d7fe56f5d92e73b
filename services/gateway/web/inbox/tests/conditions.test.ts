import { describe, expect, test } from "vitest";
import {
  type Condition,
  conditionOf,
  depth,
  editable,
  incomplete,
  keys,
  newGroup,
  newLine,
  partWith,
  phrases,
  withNew,
  withOperator,
  without,
  withPart,
} from "../src/console/conditions.ts";

const SWEDEN = { attribute: "visitor.country", operator: "is", value: "SE" } satisfies Condition;
const NESTED = {
  all: [
    { attribute: "visitor.company_size", operator: "greater_than", value: 100 },
    { any: [SWEDEN, { attribute: "answers.topic", operator: "in", value: ["prices", 7, true] }] },
    { attribute: "visitor.email", operator: "is_not_empty" },
    { any: [] },
  ],
} satisfies Condition;

describe("a tree that nobody changes", () => {
  test.each([[NESTED], [{ any: [] }], [{ all: [] }], [{ all: [SWEDEN] }]])(
    "says what it said",
    (condition) => {
      expect(conditionOf(editable(condition as Condition, keys()))).toEqual(condition);
    },
  );

  test("keeps numbers and truth values as they were", () => {
    const tree = editable(
      { all: [{ attribute: "answers.a", operator: "in", value: [1, "1", true] }] },
      keys(),
    );
    expect(conditionOf(tree)).toEqual({
      all: [{ attribute: "answers.a", operator: "in", value: [1, "1", true] }],
    });
  });

  test("has a comparison alone put into a group", () => {
    expect(conditionOf(editable(SWEDEN, keys()))).toEqual({ all: [SWEDEN] });
  });

  test("keeps a list where one value would do", () => {
    const several: Condition = {
      all: [{ attribute: "page.url", operator: "contains", value: ["a", "b"] }],
    };
    expect(conditionOf(editable(several, keys()))).toEqual(several);
  });
});

describe("a tree that is edited", () => {
  test("has every part under a key of its own", () => {
    const seen: number[] = [];
    const visit = (part: { key: number; parts?: readonly { key: number }[] }): void => {
      seen.push(part.key);
      for (const each of part.parts ?? []) visit(each);
    };
    visit(editable(NESTED, keys()));
    expect(new Set(seen).size).toBe(seen.length);
  });

  test("takes a new part at the end of the group meant", () => {
    const nextKey = keys();
    const tree = editable(NESTED, nextKey);
    const inner = tree.parts[1];
    if (!inner || inner.kind === "line") throw new Error("not a group");
    const longer = withNew(tree, inner.key, newGroup(nextKey, "all"));
    const now = partWith(longer, inner.key);
    expect(now?.kind === "any" && now.parts.length).toBe(3);
    expect(longer.parts.length).toBe(tree.parts.length);
  });

  test("loses the part meant, wherever it is, and nothing else", () => {
    const tree = editable(NESTED, keys());
    const inner = tree.parts[1];
    if (!inner || inner.kind === "line") throw new Error("not a group");
    const first = inner.parts[0];
    expect(conditionOf(without(tree, first?.key ?? 0))).toEqual({
      ...NESTED,
      all: [
        NESTED.all[0],
        { any: [{ attribute: "answers.topic", operator: "in", value: ["prices", 7, true] }] },
        NESTED.all[2],
        NESTED.all[3],
      ],
    });
    expect(without(tree, tree.key)).toEqual(tree);
  });

  test("changes a value into the text that was typed", () => {
    const tree = editable({ all: [{ attribute: "answers.n", operator: "is", value: 7 }] }, keys());
    const [line] = tree.parts;
    if (line?.kind !== "line") throw new Error("not a line");
    const changed = withPart(tree, { ...line, values: ["8"] });
    expect(conditionOf(changed)).toEqual({ all: [{ attribute: "answers.n", operator: "is", value: "8" }] });
  });

  test("drops values that an operator has no place for", () => {
    const line = { ...newLine(keys()), operator: "in" as const, values: ["SE", "NO"] };
    expect(withOperator(line, "is").values).toEqual(["SE"]);
    expect(withOperator(line, "is_empty").values).toEqual([]);
    expect(conditionOf(withOperator(line, "is_empty"))).toEqual({
      attribute: "visitor.country",
      operator: "is_empty",
    });
    expect(withOperator(line, "in").values).toEqual(["SE", "NO"]);
  });

  test("names the lines that lack a name or a value", () => {
    const nextKey = keys();
    const empty = newLine(nextKey);
    const nameless = { ...newLine(nextKey), attribute: "answers.", values: ["x"] };
    const whole = { ...newLine(nextKey), values: ["SE"] };
    const tree = { key: nextKey(), kind: "all" as const, parts: [empty, nameless, whole] };
    expect(incomplete(tree)).toEqual([empty.key, nameless.key]);
  });

  test("knows how deep it is", () => {
    expect(depth(editable(NESTED, keys()))).toBe(2);
    expect(depth(editable({ all: [] }, keys()))).toBe(1);
  });
});

describe("in words", () => {
  const shape = (condition: Condition) =>
    phrases(condition)
      .map((each) => (each.is === "comparison" ? each.comparison.attribute : each.is))
      .join(" ");

  test("groups inside groups stand in brackets", () => {
    expect(shape(NESTED)).toBe(
      "visitor.company_size and open visitor.country or answers.topic close and visitor.email and nobody",
    );
  });

  test("an empty group is everybody, or nobody", () => {
    expect(shape({ all: [] })).toBe("everybody");
    expect(shape({ any: [] })).toBe("nobody");
  });

  test("a group of one needs no brackets", () => {
    expect(shape({ all: [SWEDEN, { any: [SWEDEN] }] })).toBe("visitor.country and visitor.country");
  });
});
