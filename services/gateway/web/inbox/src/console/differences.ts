// In which fields two versions of the same form differ.

/** The names of the fields that are not the same. */
export function changedFields<Form extends object>(one: Form, other: Form): (keyof Form & string)[] {
  return (Object.keys(one) as (keyof Form & string)[]).filter((name) => !isSame(one[name], other[name]));
}

/** Whether both say the same. Keys that only tell parts of a form apart do not count. */
export function isSame(one: unknown, other: unknown): boolean {
  return plain(one) === plain(other);
}

/** A value as it can be read in a table. */
export function legible(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value) && value.every((each) => typeof each !== "object")) return value.join(", ");
  return typeof value === "object" ? plain(value) : String(value);
}

function plain(value: unknown): string {
  return (
    JSON.stringify(value, (name, inner) => (name === "key" || name === "given" ? undefined : inner)) ?? ""
  );
}
