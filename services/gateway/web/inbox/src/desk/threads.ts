// The conversations that are shown, or were a moment ago: what was said in them, as far as it was loaded.

import {
  type Api,
  answered,
  type Conversation,
  type Known,
  type LiveEvent,
  LiveStream,
  type Message,
  NOTHING_KNOWN,
  networkError,
  RondoError,
  SNAPSHOT_MESSAGES_MAX,
  told,
} from "@rondo/client";

/** So many conversations are kept; of more, the one that was not looked at for longest goes. */
export const THREADS_MAX = 12;
/** How many earlier messages are loaded at once. */
export const PAGE_MESSAGES = 100;

/** A conversation as far as it was loaded. */
export interface Thread {
  state: "loading" | "ready" | "failed";
  error: RondoError | null;
  known: Known;
  /** Whether there are messages before the first one. */
  hasEarlier: boolean;
  /** Where the page of messages before those loaded begins; `null`: at the last message. */
  earlierCursor: string | null;
  isLoadingEarlier: boolean;
}

export const LOADING: Thread = {
  state: "loading",
  error: null,
  known: NOTHING_KNOWN,
  hasEarlier: false,
  earlierCursor: null,
  isLoadingEarlier: false,
};

/** The present end of a conversation. */
export interface Latest {
  conversation: Conversation;
  messages: Message[];
  hasEarlier: boolean;
}

/** Some messages in order; `cursor` leads further back, `null`: there are none before. */
export interface Page {
  messages: Message[];
  cursor: string | null;
}

/** Where threads come from. */
export interface ThreadSource {
  /** The conversation and its last messages. */
  latest(conversationId: string): Promise<Latest>;
  /** A page of messages in order, which goes further back than the one whose `cursor` that is. */
  earlier(conversationId: string, cursor: string | null): Promise<Page>;
}

/** The threads of one page. `onChange` is told which one is different now. */
export class Threads {
  readonly #source: ThreadSource;
  readonly #onChange: (conversationId: string) => void;
  readonly #threads = new Map<string, Thread>();
  /** What is told while a thread is loaded: it comes after what is loaded. */
  readonly #waiting = new Map<string, LiveEvent[]>();

  constructor(source: ThreadSource, onChange: (conversationId: string) => void) {
    this.#source = source;
    this.#onChange = onChange;
  }

  get(conversationId: string): Thread | undefined {
    return this.#threads.get(conversationId);
  }

  /** Loads a thread, unless it is there. It is now the one looked at last. */
  open(conversationId: string): void {
    const thread = this.#threads.get(conversationId);
    if (thread) {
      this.#threads.delete(conversationId);
      this.#threads.set(conversationId, thread);
    }
    if (!thread || thread.state === "failed") void this.#load(conversationId);
    for (const oldest of this.#threads.keys()) {
      if (this.#threads.size <= THREADS_MAX) break;
      this.#threads.delete(oldest);
    }
  }

  /** Loads every thread again: something may have been missed. What is known stays in view meanwhile. */
  reload(): void {
    for (const conversationId of this.#threads.keys()) void this.#load(conversationId);
  }

  /** Takes an event in. */
  tell(event: LiveEvent, nowMs: number): void {
    const id = event.conversation_id ?? "";
    this.#waiting.get(id)?.push(event);
    const thread = this.#threads.get(id);
    if (thread) this.#change(id, { known: toldTo(thread.known, event, nowMs) });
  }

  /** The conversation is as an answer of the API says. */
  refresh(conversation: Conversation): void {
    const thread = this.#threads.get(conversation.id);
    if (thread) this.#change(conversation.id, { known: { ...thread.known, conversation } });
  }

  /** Loads the messages before the first one. */
  async loadEarlier(conversationId: string): Promise<void> {
    const thread = this.#threads.get(conversationId);
    if (!thread?.hasEarlier || thread.isLoadingEarlier) return;
    this.#change(conversationId, { isLoadingEarlier: true, error: null });
    try {
      let cursor = thread.earlierCursor;
      let hasNew = false;
      // The first pages may have what is known already.
      do {
        const page = await this.#source.earlier(conversationId, cursor);
        cursor = page.cursor;
        const known = this.#threads.get(conversationId)?.known ?? thread.known;
        const ids = new Set(known.messages.map(({ id }) => id));
        const earlier = page.messages.filter(({ id }) => !ids.has(id));
        hasNew = earlier.length > 0;
        const messages = [...earlier, ...known.messages];
        this.#change(conversationId, { known: { ...known, messages } });
      } while (!hasNew && cursor !== null);
      this.#change(conversationId, {
        earlierCursor: cursor,
        hasEarlier: cursor !== null,
        isLoadingEarlier: false,
      });
    } catch (cause) {
      this.#change(conversationId, { isLoadingEarlier: false, error: networkError(cause) });
    }
  }

  async #load(conversationId: string): Promise<void> {
    if (this.#waiting.has(conversationId)) return;
    const events: LiveEvent[] = [];
    this.#waiting.set(conversationId, events);
    if (!this.#threads.has(conversationId)) this.#threads.set(conversationId, LOADING);
    this.#change(conversationId, { error: null });
    try {
      const { conversation, messages, hasEarlier } = await this.#source.latest(conversationId);
      const before = this.#threads.get(conversationId);
      if (!before) return;
      const { known, isSeamless } = withLatest(before.known, conversation, messages);
      this.#change(conversationId, {
        state: "ready",
        known: events.reduce((sofar, event) => toldTo(sofar, event, 0), known),
        ...(isSeamless ? {} : { hasEarlier, earlierCursor: null }),
      });
    } catch (cause) {
      const error = networkError(cause);
      const isShown = this.#threads.get(conversationId)?.state === "ready";
      this.#change(conversationId, isShown ? { error } : { state: "failed", error });
    } finally {
      this.#waiting.delete(conversationId);
    }
  }

  #change(conversationId: string, change: Partial<Thread>): void {
    const thread = this.#threads.get(conversationId);
    if (!thread) return;
    this.#threads.set(conversationId, { ...thread, ...change });
    this.#onChange(conversationId);
  }
}

/**
 * What is known with the conversation's latest messages. They go after those known, where they overlap
 * (`isSeamless`); else they replace them, for what lies between is not known.
 */
export function withLatest(
  known: Known,
  conversation: Conversation,
  latest: readonly Message[],
): { known: Known; isSeamless: boolean } {
  const first = latest[0];
  const at = first ? known.messages.findIndex(({ id }) => id === first.id) : -1;
  const isSeamless = at >= 0;
  const ids = new Set(latest.map(({ id }) => id));
  // What was told live and is not among the latest yet was said after them.
  const lastKnown = known.messages.findLastIndex(({ id }) => ids.has(id));
  const since = lastKnown >= 0 ? known.messages.slice(lastKnown + 1) : [];
  const messages = [...known.messages.slice(0, Math.max(at, 0)), ...latest, ...since];
  return { known: { ...known, conversation, messages, isIncomplete: false, typedAtMs: {} }, isSeamless };
}

/** As `told`, but an agent's stream also tells how a chat is handed over, which no visitor sees. */
export function toldTo(known: Known, event: LiveEvent, nowMs: number): Known {
  const { conversation } = known;
  if (event.type === "snapshot") return known;
  if (conversation?.status === "active" && event.type.startsWith("assignment.")) return known;
  if (conversation && event.type === "conversation.transferred") {
    const agent = event.data.to_agent as Conversation["agent"];
    return { ...known, conversation: { ...conversation, agent, offer: null } };
  }
  if (conversation && event.type === "conversation.transfer_returned") {
    return { ...known, conversation: { ...conversation, offer: null } };
  }
  return told(known, event, nowMs);
}

/** Threads from the API: the stream's snapshot for those who may have it, for it lags behind nothing. */
export function apiThreads(
  api: Api,
  connect: (conversationId: string, signal: AbortSignal) => Promise<Response>,
): ThreadSource {
  const earlier = async (conversationId: string, cursor: string | null): Promise<Page> => {
    const path = { conversation_id: conversationId };
    const query = {
      limit: PAGE_MESSAGES,
      order: "newest_first" as const,
      ...(cursor !== null && { cursor }),
    };
    const page = await answered(
      api.GET("/v1/conversations/{conversation_id}/messages", { params: { path, query } }),
    );
    return { messages: page.data.reverse(), cursor: page.next_cursor };
  };
  return {
    earlier,
    async latest(conversationId) {
      try {
        return await firstSnapshot((signal) => connect(conversationId, signal));
      } catch (error) {
        if (!(error instanceof RondoError) || (error.status !== 403 && error.status !== 404)) throw error;
      }
      // Not a party (any more): as who may read it reads it.
      const path = { conversation_id: conversationId };
      const [conversation, { messages, cursor }] = await Promise.all([
        answered(api.GET("/v1/conversations/{conversation_id}", { params: { path } })),
        earlier(conversationId, null),
      ]);
      return { conversation, messages, hasEarlier: cursor !== null };
    },
  };
}

/** The first event of a conversation's stream, which is then left. Waits for the network, if it must. */
function firstSnapshot(connect: (signal: AbortSignal) => Promise<Response>) {
  return new Promise<Latest>((resolve, reject) => {
    const stream = new LiveStream({
      connect: (_, signal) => connect(signal),
      onEvent: ({ data }) => {
        const { conversation, messages } = data as { conversation: Conversation; messages: Message[] };
        resolve({ conversation, messages, hasEarlier: messages.length >= SNAPSHOT_MESSAGES_MAX });
        stream.close();
      },
      onState: (state) => {
        if (state.is === "closed" && state.error) reject(state.error);
      },
    });
    stream.open();
  });
}
