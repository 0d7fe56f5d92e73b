// What a page knows of a conversation, from its stream: a pure function from a state and an event.

import type { Conversation, Message } from "./api.ts";
import type { LiveEvent } from "./stream.ts";

/** A snapshot has this many messages at most; one that has as many may have left out earlier ones. */
export const SNAPSHOT_MESSAGES_MAX = 50;

/** Somebody who typed a moment ago is shown as typing for this long. */
export const TYPING_MS = 6_000;

export type Side = "visitor" | "agent";

/** A conversation as far as the page has been told. */
export interface Known {
  conversation: Conversation | null;
  /** In the order of the log, each once. */
  messages: readonly Message[];
  /** Whether messages before the first ones may be missing: read them (`allMessages`), then `withHistory`. */
  isIncomplete: boolean;
  /** When each side was last seen typing, in ms since the epoch. */
  typedAtMs: Partial<Record<Side, number>>;
  /** The last message that each side has read. */
  read: Partial<Record<Side, string>>;
  /** When it ends unless somebody writes, once that was warned of. */
  idleEndsAt: string | null;
}

export const NOTHING_KNOWN: Known = {
  conversation: null,
  messages: [],
  isIncomplete: false,
  typedAtMs: {},
  read: {},
  idleEndsAt: null,
};

/** What is known after `event`. The same event again changes nothing. `nowMs` is the page's clock. */
export function told(known: Known, event: LiveEvent, nowMs: number): Known {
  // biome-ignore lint/suspicious/noExplicitAny: the data is as the API documents it for each type.
  const data = event.data as any;
  switch (event.type) {
    case "snapshot":
      return withSnapshot(known, data.conversation, data.messages ?? []);
    case "message.posted":
      return withMessage(known, { ...data, conversation_id: event.conversation_id });
    case "typing":
      return withTyping(known, sideOf(data), nowMs);
    case "messages.read":
      return withRead(known, sideOf(data), data.message_id);
    case "assignment.offered":
      return changed(known, { status: "offered", offer: { agent_id: null, ...data }, queue: null });
    case "assignment.declined":
    case "assignment.timed_out":
    case "assignment.rescinded":
      // What follows is told by an event of its own.
      return known.conversation?.status === "offered" ? changed(known, { offer: null }) : known;
    case "assignment.accepted":
      return changed(known, { status: "active", agent: data.agent ?? null, offer: null, queue: null });
    case "conversation.queued":
      return changed(known, { status: "queued", offer: null, queue: data.queue ?? data });
    case "conversation.fell_back":
      return changed(known, { status: "fell_back", fallback: data, offer: null, queue: null });
    case "conversation.withdrawn":
      return changed(known, { status: "withdrawn", offer: null, queue: null });
    case "conversation.ended":
      return ended({ ...known, idleEndsAt: null }, { at: event.occurred_at, ...data });
    case "conversation.rated":
      return { ...known, conversation: known.conversation && { ...known.conversation, ...data } };
    case "conversation.idle_warning":
      return { ...known, idleEndsAt: data.ends_at };
    default:
      return known; // A client older than the server.
  }
}

/** What is known once the whole history is: `history` first, then what has come since. */
export function withHistory(known: Known, history: readonly Message[]): Known {
  const ids = new Set(history.map(({ id }) => id));
  const since = known.messages.filter(({ id }) => !ids.has(id));
  return { ...known, messages: [...history, ...since], isIncomplete: false };
}

/** Whether nothing more can happen. */
export function isFinal(conversation: Conversation): boolean {
  return ["ended", "fell_back", "withdrawn"].includes(conversation.status);
}

function withSnapshot(known: Known, conversation: Conversation, messages: readonly Message[]): Known {
  const first = messages[0];
  const at = first ? known.messages.findIndex(({ id }) => id === first.id) : known.messages.length;
  // The snapshot's messages follow those we have, if they overlap; else what lies between is missing.
  const earlier = at >= 0 ? known.messages.slice(0, at) : [];
  const mayLackSome = at < 0 || (earlier.length === 0 && messages.length >= SNAPSHOT_MESSAGES_MAX);
  return {
    ...known,
    conversation,
    messages: [...earlier, ...messages],
    isIncomplete: known.isIncomplete || (mayLackSome && messages.length >= SNAPSHOT_MESSAGES_MAX),
    typedAtMs: {},
  };
}

function withMessage(known: Known, message: Message): Known {
  if (known.messages.some(({ id }) => id === message.id)) return known;
  const { [message.author.type as Side]: _, ...typedAtMs } = known.typedAtMs;
  return { ...known, messages: [...known.messages, message], typedAtMs, idleEndsAt: null };
}

function withTyping(known: Known, side: Side | null, nowMs: number): Known {
  return side ? { ...known, typedAtMs: { ...known.typedAtMs, [side]: nowMs } } : known;
}

function withRead(known: Known, side: Side | null, messageId: unknown): Known {
  return side && typeof messageId === "string"
    ? { ...known, read: { ...known.read, [side]: messageId } }
    : known;
}

function ended(known: Known, end: object): Known {
  return changed(known, { status: "ended", ended: end as Conversation["ended"], offer: null, queue: null });
}

function changed(known: Known, change: object): Known {
  const { conversation } = known;
  if (!conversation || isFinal(conversation)) return known;
  return { ...known, conversation: { ...conversation, ...change } };
}

// biome-ignore lint/suspicious/noExplicitAny: as above.
function sideOf(data: any): Side | null {
  const named = (data.reader ?? data.author)?.type;
  return named === "agent" || named === "visitor" ? named : null;
}
