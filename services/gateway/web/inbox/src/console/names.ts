// Ids that people choose, made of the names that they type.

/** What an id may be. */
export const ID = /^[A-Za-z0-9_-]{1,64}$/;
const LENGTH_MAX = 40;

/** An id that a name suggests: `Årsta North` gives `arsta-north`. */
export function idOf(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, LENGTH_MAX)
    .replace(/^-+|-+$/g, "");
}

/** An id that a name suggests and that is not taken. */
export function freeId(name: string, taken: ReadonlySet<string>): string {
  const wanted = idOf(name);
  if (wanted === "" || !taken.has(wanted)) return wanted;
  for (let number = 2; ; number += 1) {
    if (!taken.has(`${wanted}-${number}`)) return `${wanted}-${number}`;
  }
}
