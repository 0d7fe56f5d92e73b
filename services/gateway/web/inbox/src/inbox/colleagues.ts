// Who a chat can be handed over to, the likeliest first.

import type { Colleague } from "@rondo/client";

/** The colleagues whose name has what was typed: those who can take it first, then by how busy they are. */
export function colleaguesFor(roster: readonly Colleague[], me: string, wanted: string): Colleague[] {
  const text = wanted.trim().toLocaleLowerCase();
  const rank = ({ available, present, load, capacity }: Colleague) =>
    (available ? 0 : 4) + (load < capacity ? 0 : 2) + (present ? 0 : 1);
  return roster
    .filter(({ id, name }) => id !== me && name.toLocaleLowerCase().includes(text))
    .sort(
      (one, other) =>
        rank(one) - rank(other) ||
        one.load / one.capacity - other.load / other.capacity ||
        one.name.localeCompare(other.name),
    );
}
