// A rule's conditions as a tree that is edited: what can be compared, and how the tree changes.

/** The same comparisons as the API's, by what they need beside the attribute. */
export const OPERATORS = [
  "is",
  "is_not",
  "contains",
  "not_contains",
  "starts_with",
  "in",
  "greater_than",
  "less_than",
  "is_empty",
  "is_not_empty",
] as const;
export type Operator = (typeof OPERATORS)[number];

type Scalar = string | number | boolean | null;

/** One attribute, compared. `in` has a list; `is_empty` and `is_not_empty` have no value. */
export interface Comparison {
  attribute: string;
  operator: Operator;
  value?: Scalar | Scalar[];
}

/** A condition as the API takes it and gives it. */
export type Condition = { all: Condition[] } | { any: Condition[] } | Comparison;

/** The attributes that have a name of their own. */
export const ATTRIBUTES = [
  "visitor.email",
  "visitor.email_domain",
  "visitor.first_name",
  "visitor.last_name",
  "visitor.company",
  "visitor.job_title",
  "visitor.phone",
  "visitor.crm_status",
  "visitor.language",
  "visitor.country",
  "visitor.state",
  "visitor.city",
  "visitor.company_size",
  "visitor.industry",
  "visitor.id",
  "page.url",
] as const;

/** What comes before a name that the website chose. */
export const NAMED_ATTRIBUTES = ["visitor.attributes.", "answers."] as const;

/** How many `all` and `any` may stand inside each other. */
export const DEPTH_MAX = 10;

/**
 * A condition while it is edited. Every part has a key that stays when others move; values are texts, as
 * they are typed. `given` is the API's value, kept as it was (a number, say) until somebody changes it.
 */
export type Part = Group | Line;
export interface Group {
  key: number;
  kind: "all" | "any";
  parts: Part[];
}
export interface Line {
  key: number;
  kind: "line";
  attribute: string;
  operator: Operator;
  values: string[];
  given?: Scalar[];
}

/** Gives parts their keys: 1, 2, 3 … */
export function keys(): () => number {
  let last = 0;
  return () => ++last;
}

export function takesValue(operator: Operator): boolean {
  return operator !== "is_empty" && operator !== "is_not_empty";
}

/** The tree to edit. Its root is always a group: a comparison alone is put into one. */
export function editable(condition: Condition, nextKey: () => number): Group {
  const part = partOf(condition, nextKey);
  return part.kind === "line" ? { key: nextKey(), kind: "all", parts: [part] } : part;
}

function partOf(condition: Condition, nextKey: () => number): Part {
  if ("all" in condition || "any" in condition) {
    const kind = "all" in condition ? "all" : "any";
    const inner = "all" in condition ? condition.all : condition.any;
    return { key: nextKey(), kind, parts: inner.map((each) => partOf(each, nextKey)) };
  }
  const { value } = condition;
  const given = (Array.isArray(value) ? value : [value]).filter(
    (each) => each !== undefined && each !== null,
  );
  return {
    key: nextKey(),
    kind: "line",
    attribute: condition.attribute,
    operator: condition.operator,
    values: given.map(String),
    given,
  };
}

/** The condition that the tree says. */
export function conditionOf(part: Part): Condition {
  if (part.kind !== "line") {
    const inner = part.parts.map(conditionOf);
    return part.kind === "all" ? { all: inner } : { any: inner };
  }
  const { attribute, operator } = part;
  if (!takesValue(operator)) return { attribute, operator };
  const values = part.values.map((each, index): Scalar => {
    const before = part.given?.[index];
    return before !== undefined && String(before) === each ? before : each;
  });
  // Several values stand for any of them, whatever the operator.
  const isList = operator === "in" || values.length > 1;
  return { attribute, operator, value: isList ? values : (values[0] ?? "") };
}

/** The tree with a part in place of the one with its key. */
export function withPart<T extends Part>(tree: T, changed: Part): T {
  if (tree.key === changed.key) return changed as T;
  if (tree.kind === "line") return tree;
  return { ...tree, parts: tree.parts.map((each) => withPart(each, changed)) };
}

/** The tree with a new part at the end of a group. */
export function withNew(tree: Group, groupKey: number, part: Part): Group {
  const group = partWith(tree, groupKey);
  if (!group || group.kind === "line") return tree;
  return withPart(tree, { ...group, parts: [...group.parts, part] });
}

/** The tree without a part. The root stays, empty perhaps. */
export function without(tree: Group, key: number): Group {
  const parts = tree.parts
    .filter((each) => each.key !== key)
    .map((each) => (each.kind === "line" ? each : without(each, key)));
  return { ...tree, parts };
}

/** The part with a key. */
export function partWith(tree: Part, key: number): Part | null {
  if (tree.key === key) return tree;
  if (tree.kind === "line") return null;
  for (const each of tree.parts) {
    const found = partWith(each, key);
    if (found) return found;
  }
  return null;
}

/** A comparison to begin with. */
export function newLine(nextKey: () => number): Line {
  return { key: nextKey(), kind: "line", attribute: "visitor.country", operator: "is", values: [] };
}

/** A group with one comparison in it. */
export function newGroup(nextKey: () => number, kind: "all" | "any"): Group {
  return { key: nextKey(), kind, parts: [newLine(nextKey)] };
}

/** The line with another operator: values stay where they still mean something. */
export function withOperator(line: Line, operator: Operator): Line {
  const values = takesValue(operator) ? line.values : [];
  return { ...line, operator, values: operator === "in" ? values : values.slice(0, 1) };
}

/** What cannot be sent as it is: the keys of lines that lack an attribute's name or a value. */
export function incomplete(tree: Part): number[] {
  if (tree.kind !== "line") return tree.parts.flatMap(incomplete);
  const hasName = !NAMED_ATTRIBUTES.some((each) => each === tree.attribute);
  const hasValue = !takesValue(tree.operator) || tree.values.some((each) => each !== "");
  return hasName && hasValue ? [] : [tree.key];
}

/** How many groups stand inside each other. */
export function depth(tree: Part): number {
  return tree.kind === "line" ? 0 : 1 + Math.max(0, ...tree.parts.map(depth));
}

/** Pieces of a sentence about a condition, for a list: each a comparison, or a word between them. */
export type Phrase =
  | { is: "comparison"; comparison: Comparison }
  | { is: "and" | "or" | "open" | "close" | "everybody" | "nobody" };

/** The condition as phrases; groups inside groups stand in brackets. */
export function phrases(condition: Condition, isInner = false): Phrase[] {
  if (!("all" in condition) && !("any" in condition)) return [{ is: "comparison", comparison: condition }];
  const inner = "all" in condition ? condition.all : condition.any;
  if (inner.length === 0) return [{ is: "all" in condition ? "everybody" : "nobody" }];
  const word: Phrase = { is: "all" in condition ? "and" : "or" };
  const joined = inner.flatMap((each, index) => [
    ...(index > 0 ? [word] : []),
    ...phrases(each, inner.length > 1),
  ]);
  return isInner && inner.length > 1 ? [{ is: "open" }, ...joined, { is: "close" }] : joined;
}
