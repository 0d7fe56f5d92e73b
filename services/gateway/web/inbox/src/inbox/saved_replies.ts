// Saved replies: which of them what is being written asks for.

import type { SavedReply } from "@rondo/client";

/** How many are offered at once. */
export const SHOWN_MAX = 8;

/** What stands behind the `/` that the text begins with, as far as it was written; `null`: no reply is asked for. */
export function askedFor(text: string): string | null {
  return /^\/([^\s/]*)$/.exec(text)?.[1] ?? null;
}

/** The replies for what was asked, those whose shortcut begins so first. */
export function repliesFor(replies: readonly SavedReply[], asked: string): SavedReply[] {
  const wanted = asked.toLocaleLowerCase();
  const rank = (reply: SavedReply) => {
    if (reply.shortcut.toLocaleLowerCase().startsWith(wanted)) return 0;
    return reply.title.toLocaleLowerCase().includes(wanted) ? 1 : 2;
  };
  return replies
    .filter((reply) => rank(reply) < 2)
    .sort((one, other) => rank(one) - rank(other) || one.shortcut.localeCompare(other.shortcut))
    .slice(0, SHOWN_MAX);
}

/** The reply with what is known of the visitor put in: `{{first_name}}`, `{{company}}`. */
export function filledIn(
  text: string,
  visitor: { first_name?: string | null; company?: string | null },
): string {
  return text.replace(
    /\{\{\s*(first_name|company)\s*\}\}/g,
    (_, name: "first_name" | "company") => visitor[name] ?? "",
  );
}
