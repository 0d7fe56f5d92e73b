// The order in which rules are tried.

/** By priority, 1 first; among the same, by id. */
export function inOrder<T extends { id: string; priority: number }>(rules: readonly T[]): T[] {
  return [...rules].sort((one, other) => one.priority - other.priority || compare(one.id, other.id));
}

/** As the router compares ids: by their characters, in no language. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
