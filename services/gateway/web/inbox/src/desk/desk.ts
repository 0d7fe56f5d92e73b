// What lies on an agent's desk, from the agent's stream: a pure function from a state and an event.

import type { Conversation, components, LiveEvent, Message } from "@rondo/client";

type Schemas = components["schemas"];
export type Availability = Schemas["Availability"];
export type AgentCard = Schemas["AgentCard"];
export type Why = Schemas["Why"];

/** How many departures are remembered, to be told. */
export const DEPARTURES_MAX = 20;

/** A chat that rings. */
export interface Ring {
  conversation: Conversation;
  attempt: number;
  offeredAt: string;
  expiresAt: string;
  /** Why this agent; `null` when it was not told (it can be asked for). */
  why: Why | null;
  /** The colleague who hands the chat over, if one does. */
  from: AgentCard | null;
  alertId: string | null;
}

/** Why a chat no longer rings, or is no longer the agent's. */
export type Reason =
  | "accepted"
  | "declined"
  | "timed_out"
  | "visitor_left"
  | "ended"
  | "removed"
  | "absent"
  | "handed_over"
  | "gone";

/** Something that lay on the desk and does no longer. */
export interface Departure {
  /** The id of the event that told of it. */
  id: string;
  conversation: Conversation;
  reason: Reason;
  /** Who has it now, where somebody has. */
  to: AgentCard | null;
}

/** An active chat. */
export interface Chat {
  conversation: Conversation;
  last: Message | null;
  /** How many of the visitor's messages the agent has not read. */
  unread: number;
  /** Since when the visitor waits for an answer. */
  waitingSince: string | null;
  /** When the visitor was last seen typing, in ms since the epoch. */
  typedAtMs: number | null;
  /** When it ends unless somebody writes, once that was warned of. */
  idleEndsAt: string | null;
}

/** Everything on the desk. */
export interface Desk {
  /** Whether the stream has told the state yet. */
  isKnown: boolean;
  availability: Availability | null;
  /** The oldest first. */
  rings: readonly Ring[];
  chats: readonly Chat[];
  /** The newest last. */
  departures: readonly Departure[];
}

export const EMPTY_DESK: Desk = {
  isKnown: false,
  availability: null,
  rings: [],
  chats: [],
  departures: [],
};

/** The desk after `event`. The same event again changes nothing. `nowMs` is the page's clock. */
export function deskAfter(desk: Desk, event: LiveEvent, nowMs: number): Desk {
  // biome-ignore lint/suspicious/noExplicitAny: the data is as the API documents it for each type.
  const data = event.data as any;
  const id = event.conversation_id ?? "";
  switch (event.type) {
    case "snapshot":
      return withSnapshot(desk, event);
    case "agent.availability_changed":
      return { ...desk, availability: data };
    case "assignment.offered":
      return withRing(desk, ringOf(id, data));
    case "alert.sent":
      return changedRing(desk, id, (ring) =>
        ring.attempt === data.attempt ? { alertId: data.alert_id } : {},
      );
    case "assignment.accepted":
      return accepted(desk, event, data.agent);
    case "assignment.declined":
      return withoutRing(desk, event, "declined", data.attempt);
    case "assignment.timed_out":
      return withoutRing(desk, event, "timed_out", data.attempt);
    case "assignment.rescinded":
      return withoutRing(desk, event, RESCINDED[data.reason as string] ?? "visitor_left", data.attempt);
    case "conversation.transferred":
      return transferred(desk, event, data.from_agent, data.to_agent);
    case "conversation.transfer_returned":
      return changedChat(desk, id, ({ conversation }) => ({
        conversation: { ...conversation, offer: null },
      }));
    case "conversation.ended":
      return ended(desk, event);
    case "message.posted":
      return changedChat(desk, id, (chat) => said(chat, { ...data, conversation_id: id }));
    case "messages.read":
      return changedChat(desk, id, (chat) =>
        data.reader?.type === "agent" ? read(chat, data.message_id) : {},
      );
    case "typing":
      return changedChat(desk, id, () => ({ typedAtMs: nowMs }));
    case "conversation.idle_warning":
      return changedChat(desk, id, () => ({ idleEndsAt: data.ends_at }));
    default:
      return desk; // A page older than the server.
  }
}

/** The chats as a list shows them: those with something unread first, then who waits longest. */
export function inOrder(chats: readonly Chat[]): Chat[] {
  const rank = (chat: Chat) => (chat.unread > 0 ? 0 : chat.waitingSince ? 1 : 2);
  return [...chats].sort(
    (one, other) =>
      rank(one) - rank(other) ||
      (one.waitingSince && other.waitingSince
        ? Date.parse(one.waitingSince) - Date.parse(other.waitingSince)
        : latestOf(other) - latestOf(one)),
  );
}

/** A chat as it is when the page first hears of it. */
export function chatOf(conversation: Conversation & { unread?: number }): Chat {
  const { unread = 0, ...shown } = conversation;
  return {
    conversation: shown,
    last: null,
    unread,
    waitingSince: null,
    typedAtMs: null,
    idleEndsAt: null,
  };
}

/** The desk without what rang for a conversation, when the agent's answer told so. */
export function answered(desk: Desk, conversationId: string): Desk {
  const rings = desk.rings.filter(({ conversation }) => conversation.id !== conversationId);
  return rings.length < desk.rings.length ? { ...desk, rings } : desk;
}

/** The desk with a conversation as an answer of the API has it. */
export function withChat(desk: Desk, conversation: Conversation): Desk {
  const known = desk.chats.some((chat) => chat.conversation.id === conversation.id);
  const chats = known
    ? desk.chats.map((chat) =>
        chat.conversation.id === conversation.id ? { ...chat, conversation } : chat,
      )
    : [...desk.chats, chatOf(conversation)];
  return { ...desk, chats };
}

/** The desk once the messages of a chat are known: its last one, and since when the visitor waits. */
export function withMessages(desk: Desk, conversationId: string, messages: readonly Message[]): Desk {
  const last = messages.at(-1);
  if (!last) return desk;
  return changedChat(desk, conversationId, (chat) =>
    chat.last ? {} : { last, waitingSince: waitingSinceOf(messages) },
  );
}

/** Since when the last messages are the visitor's alone. */
export function waitingSinceOf(messages: readonly Message[]): string | null {
  const answer = messages.findLastIndex(({ author }) => author.type === "agent");
  return messages.slice(answer + 1).find(({ author }) => author.type === "visitor")?.sent_at ?? null;
}

const RESCINDED: Record<string, Reason> = {
  withdrawn: "visitor_left",
  ended: "ended",
  agent_removed: "removed",
  agent_absent: "absent",
};

function withSnapshot(desk: Desk, { id, data }: LiveEvent): Desk {
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  const { availability, open_offers: offers, active_conversations: active } = data as any;
  const conversations: Conversation[] = active ?? [];
  const rings = (offers as Conversation[]).flatMap((conversation) => {
    const known = desk.rings.find((ring) => isSameOffer(ring, conversation));
    return known ?? ringOfOffer(conversation) ?? [];
  });
  // What rang before and does not any more: nobody told why, for this page was away.
  const left = desk.rings.filter(
    (ring) => !rings.some((each) => each.conversation.id === ring.conversation.id),
  );
  const departures = left.map((ring) => {
    const isMine = conversations.some((each) => each.id === ring.conversation.id);
    return departureOf(`${id}/${ring.conversation.id}`, ring.conversation, isMine ? "accepted" : "gone");
  });
  return {
    isKnown: true,
    availability,
    rings: rings.sort(oldestFirst),
    chats: conversations.map((conversation) => refreshed(desk, conversation)),
    departures: remembered([...desk.departures, ...departures]),
  };
}

/** What the page knew of a chat beyond what a snapshot tells. */
function refreshed(desk: Desk, conversation: Conversation & { unread?: number }): Chat {
  const known = desk.chats.find((chat) => chat.conversation.id === conversation.id);
  const fresh = chatOf(conversation);
  // The last message may be older than what was said while the page was away: it is asked for again.
  return known ? { ...fresh, unread: conversation.unread ?? known.unread } : fresh;
}

// biome-ignore lint/suspicious/noExplicitAny: as above.
function ringOf(id: string, data: any): Ring {
  const { request, agent, attempt, offered_at: offeredAt, expires_at: expiresAt } = data;
  const offer = { agent_id: agent?.id ?? null, attempt, offered_at: offeredAt, expires_at: expiresAt };
  const conversation: Conversation = {
    id,
    status: "offered",
    route: request.route,
    visitor: request.visitor,
    page: request.page ?? null,
    answers: request.answers ?? {},
    requested_at: request.requested_at,
    agent: data.transferred_by ?? null,
    offer,
    queue: null,
    ended: null,
    fallback: null,
    rating: null,
  };
  const from = data.transferred_by ?? null;
  return { conversation, attempt, offeredAt, expiresAt, why: data.why ?? null, from, alertId: null };
}

function ringOfOffer(conversation: Conversation): Ring | null {
  const { offer, agent } = conversation;
  if (!offer) return null;
  return {
    conversation,
    attempt: offer.attempt,
    offeredAt: offer.offered_at,
    expiresAt: offer.expires_at,
    why: null,
    from: agent,
    alertId: null,
  };
}

function isSameOffer(ring: Ring, { id, offer }: Conversation): boolean {
  return ring.conversation.id === id && ring.attempt === offer?.attempt;
}

function withRing(desk: Desk, ring: Ring): Desk {
  const { id } = ring.conversation;
  const known = desk.rings.find(({ conversation }) => conversation.id === id);
  if (known && known.attempt >= ring.attempt) return desk;
  const others = desk.rings.filter((each) => each !== known);
  return { ...desk, rings: [...others, ring].sort(oldestFirst) };
}

function oldestFirst(one: Ring, other: Ring): number {
  return Date.parse(one.offeredAt) - Date.parse(other.offeredAt);
}

function accepted(desk: Desk, event: LiveEvent, agent: AgentCard): Desk {
  const id = event.conversation_id ?? "";
  const ring = desk.rings.find(({ conversation }) => conversation.id === id);
  if (!ring) return desk;
  const conversation: Conversation = { ...ring.conversation, status: "active", agent, offer: null };
  return withChat(withoutRing(desk, event, "accepted", ring.attempt), conversation);
}

function withoutRing(
  desk: Desk,
  { id, conversation_id }: LiveEvent,
  reason: Reason,
  attempt?: number,
): Desk {
  const ring = desk.rings.find(({ conversation }) => conversation.id === conversation_id);
  if (!ring || (attempt !== undefined && attempt < ring.attempt)) return desk;
  return {
    ...desk,
    rings: desk.rings.filter((each) => each !== ring),
    departures: remembered([...desk.departures, departureOf(id, ring.conversation, reason)]),
  };
}

function transferred(desk: Desk, event: LiveEvent, from: AgentCard, to: AgentCard): Desk {
  const id = event.conversation_id ?? "";
  const ring = desk.rings.find(({ conversation }) => conversation.id === id);
  if (ring) return accepted(desk, event, to);
  const chat = desk.chats.find(({ conversation }) => conversation.id === id);
  if (chat?.conversation.agent?.id !== from.id) return desk;
  const departure = { ...departureOf(event.id, chat.conversation, "handed_over"), to };
  return {
    ...desk,
    chats: desk.chats.filter((each) => each !== chat),
    departures: remembered([...desk.departures, departure]),
  };
}

function ended(desk: Desk, event: LiveEvent): Desk {
  const chats = desk.chats.filter(({ conversation }) => conversation.id !== event.conversation_id);
  const left = chats.length < desk.chats.length ? { ...desk, chats } : desk;
  return withoutRing(left, event, "ended");
}

function said(chat: Chat, message: Message): Partial<Chat> {
  if (chat.last && chat.last.id === message.id) return {};
  const base = { last: message, typedAtMs: null, idleEndsAt: null };
  if (message.author.type === "agent") return { ...base, unread: 0, waitingSince: null };
  if (message.author.type !== "visitor") return base;
  return { ...base, unread: chat.unread + 1, waitingSince: chat.waitingSince ?? message.sent_at };
}

function read(chat: Chat, messageId: string): Partial<Chat> {
  // Ids are ordered by time: the same or a later message than the last one known has been read.
  return chat.last === null || messageId >= chat.last.id ? { unread: 0 } : {};
}

function changedRing(desk: Desk, id: string, change: (ring: Ring) => Partial<Ring>): Desk {
  return {
    ...desk,
    rings: desk.rings.map((ring) => (ring.conversation.id === id ? { ...ring, ...change(ring) } : ring)),
  };
}

function changedChat(desk: Desk, id: string, change: (chat: Chat) => Partial<Chat>): Desk {
  if (!desk.chats.some(({ conversation }) => conversation.id === id)) return desk;
  return {
    ...desk,
    chats: desk.chats.map((chat) => (chat.conversation.id === id ? { ...chat, ...change(chat) } : chat)),
  };
}

function departureOf(id: string, conversation: Conversation, reason: Reason): Departure {
  return { id, conversation, reason, to: null };
}

function remembered(departures: Departure[]): Departure[] {
  return departures.slice(-DEPARTURES_MAX);
}

function latestOf({ last, conversation }: Chat): number {
  return Date.parse(last?.sent_at ?? conversation.requested_at);
}
