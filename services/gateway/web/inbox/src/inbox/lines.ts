// The lines of a conversation: what was said, grouped, with the days and what happened in between.

import type { Conversation, components, Message, OutgoingMessage } from "@rondo/client";
import { dayOf } from "../words/times.ts";

type Attempt = components["schemas"]["Attempt"];

/** Messages of one side that follow each other so closely are one group. */
export const GROUP_MS = 5 * 60 * 1000;

/** What happened besides what was said. */
export interface Happening {
  at: string;
  what:
    | "requested"
    | "joined"
    | "handed_over"
    | "declined"
    | "missed"
    | "ended"
    | "fell_back"
    | "withdrawn";
  /** Whoever it is about, where it is about somebody. */
  name: string | null;
  from?: string | null;
  reason?: string;
}

/** One line on the screen. Its key stays the same for as long as it is about the same. */
export type Line =
  | { is: "day"; key: string; atMs: number }
  | { is: "happening"; key: string; happening: Happening }
  | { is: "message"; key: string; message: Message; isFirst: boolean; isLast: boolean }
  | { is: "outgoing"; key: string; outgoing: OutgoingMessage; isFirst: boolean };

/** All lines, in order. */
export function linesOf(
  messages: readonly Message[],
  happenings: readonly Happening[],
  outgoing: readonly OutgoingMessage[],
  zone: string,
): Line[] {
  const lines: Line[] = [];
  let day = "";
  let next = 0;
  const openDay = (atMs: number) => {
    const today = dayOf(atMs, zone);
    if (today === day) return;
    day = today;
    lines.push({ is: "day", key: `day ${today}`, atMs });
  };
  const tellUntil = (atMs: number) => {
    for (; next < happenings.length; next += 1) {
      const happening = happenings[next];
      if (!happening || Date.parse(happening.at) > atMs) return;
      openDay(Date.parse(happening.at));
      lines.push({ is: "happening", key: `${happening.what} ${happening.at}`, happening });
    }
  };
  for (const message of messages) {
    const atMs = Date.parse(message.sent_at);
    tellUntil(atMs);
    openDay(atMs);
    const before = lines.at(-1);
    const continues = before?.is === "message" && isOneGroup(before.message, message);
    if (continues) before.isLast = false;
    lines.push({ is: "message", key: message.id, message, isFirst: !continues, isLast: true });
  }
  tellUntil(Number.POSITIVE_INFINITY);
  const ids = new Set(outgoing.map(({ message_id }) => message_id));
  const arrived = ids.size > 0 ? messages.filter(({ id }) => ids.has(id)).map(({ id }) => id) : [];
  for (const each of outgoing) {
    if (each.message_id && arrived.includes(each.message_id)) continue;
    const before = lines.at(-1);
    const continues =
      before?.is === "outgoing" || (before?.is === "message" && before.message.author.type === "agent");
    lines.push({ is: "outgoing", key: each.client_message_id, outgoing: each, isFirst: !continues });
  }
  return lines;
}

/** What happened, from how the conversation was offered and how it is now; in order. */
export function happeningsOf(conversation: Conversation, attempts: readonly Attempt[]): Happening[] {
  const found: Happening[] = [{ at: conversation.requested_at, what: "requested", name: null }];
  for (const { agent, outcome, outcome_at: at, transferred_by: from } of attempts) {
    if (!at) continue;
    if (outcome === "accepted") {
      found.push({ at, what: from ? "handed_over" : "joined", name: agent.name, from: from?.name ?? null });
    }
    if (outcome === "declined") found.push({ at, what: "declined", name: agent.name });
    if (outcome === "timed_out") found.push({ at, what: "missed", name: agent.name });
  }
  const { ended } = conversation;
  if (ended) found.push({ at: ended.at, what: "ended", name: null, reason: ended.reason });
  return found.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
}

function isOneGroup(one: Message, other: Message): boolean {
  return (
    one.author.type === other.author.type &&
    one.author.id === other.author.id &&
    Date.parse(other.sent_at) - Date.parse(one.sent_at) <= GROUP_MS
  );
}
