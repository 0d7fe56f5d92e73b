// The agent's desk as the page has it: one live stream, and what the agent does about what it tells.

import {
  type Api,
  answered,
  type Conversation,
  connect,
  connectToAgent,
  errorOf,
  type Keep,
  type LiveEvent,
  LiveStream,
  networkError,
  Outbox,
  type OutgoingMessage,
  type RondoError,
  type StreamState,
} from "@rondo/client";
import type { Availability, Departure, Desk } from "./desk.ts";
import * as desks from "./desk.ts";
import { apiThreads, type Thread, Threads } from "./threads.ts";

/** A side is told at most this often that the other one types. */
const TYPING_EVERY_MS = 3_000;
/** How many chats' last messages are asked for at once. */
const PEEKS_MAX = 2;

/** What the desk needs. */
export interface DeskNeeds {
  api: Api;
  fetch: typeof fetch;
  /** The agent's id: what is kept is kept for them alone. */
  agentId: string;
  keep: Keep;
}

/** Everything that components show of it. A new one after every change. */
export interface Shown {
  desk: Desk;
  stream: StreamState;
  /** How often the stream came back after it had been lost. */
  returns: number;
  /** Chats whose offer is being answered, and how. */
  answering: ReadonlyMap<string, "accept" | "decline">;
  outgoing: ReadonlyMap<string, readonly OutgoingMessage[]>;
  /** The version of each thread, so that whoever shows one notices. */
  threads: ReadonlyMap<string, Thread>;
}

const NOTHING_OUTGOING: readonly OutgoingMessage[] = [];

/** The desk. It is there from `open` to `close`. */
export class LiveDesk {
  readonly #needs: DeskNeeds;
  readonly #stream: LiveStream;
  readonly #threads: Threads;
  readonly #outboxes = new Map<string, Outbox>();
  readonly #listeners = new Set<() => void>();
  readonly #typedAtMs = new Map<string, number>();
  readonly #readTo = new Map<string, string>();
  /** Chats that this page answered itself: what the stream tells of it is no news. */
  readonly #answeredHere = new Set<string>();
  readonly #peeks = new Set<string>();
  #shown: Shown;
  #wasLost = false;

  constructor(needs: DeskNeeds) {
    this.#needs = needs;
    const options = { baseUrl: "", fetch: needs.fetch };
    this.#stream = new LiveStream({
      connect: (cursor, signal) => connectToAgent(options, cursor, signal),
      onEvent: (event) => this.#hear(event),
      onState: (state) => this.#noteState(state),
    });
    const stream = (id: string, signal: AbortSignal) =>
      connect(options, `/v1/conversations/${encodeURIComponent(id)}/stream`, null, signal);
    this.#threads = new Threads(apiThreads(needs.api, stream), (id) => this.#noteThread(id));
    this.#shown = {
      desk: desks.EMPTY_DESK,
      stream: this.#stream.state,
      returns: 0,
      answering: new Map(),
      outgoing: new Map(),
      threads: new Map(),
    };
  }

  get shown(): Shown {
    return this.#shown;
  }

  /** Calls `listener` after each change; the returned function ends that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Begins to listen. */
  open(): void {
    this.#stream.open();
  }

  /** Ends it. What was not sent stays kept. */
  close(): void {
    this.#stream.close();
    for (const outbox of this.#outboxes.values()) outbox.close();
    this.#outboxes.clear();
  }

  /** Accepts an offer. Raises `RondoError`; the ring is gone then too if it could not be accepted. */
  accept(conversationId: string): Promise<Conversation> {
    return this.#answer(conversationId, "accept");
  }

  /** Declines an offer. Raises as `accept`. */
  decline(conversationId: string): Promise<Conversation> {
    return this.#answer(conversationId, "decline");
  }

  /** Takes a chat out of the queue. Raises `RondoError`. */
  async take(conversationId: string): Promise<Conversation> {
    this.#answeredHere.add(conversationId);
    const params = { path: { conversation_id: conversationId } };
    const call = this.#needs.api.POST("/v1/conversations/{conversation_id}/take", { params });
    const taken = await this.#decided(conversationId, call);
    this.#show({ desk: desks.withChat(desks.answered(this.#shown.desk, conversationId), taken) });
    return taken;
  }

  /** Hands a chat over. It stays here until it is accepted. Raises `RondoError`. */
  async transfer(conversationId: string, to: { agent_id: string } | { team_id: string }): Promise<void> {
    const params = { path: { conversation_id: conversationId } };
    const body = to as never;
    const call = this.#needs.api.POST("/v1/conversations/{conversation_id}/transfer", { params, body });
    this.#refresh(await this.#decided(conversationId, call));
  }

  /** Ends a chat. Raises `RondoError`. */
  async end(conversationId: string): Promise<void> {
    const params = { path: { conversation_id: conversationId } };
    const call = this.#needs.api.POST("/v1/conversations/{conversation_id}/end", { params });
    this.#threads.refresh(await this.#decided(conversationId, call));
  }

  /** Switches the availability; `null`: back to the schedule. Raises `RondoError`. */
  async switchAvailability(available: boolean | null): Promise<void> {
    const params = { path: { agent_id: "me" } };
    const body = { available };
    const availability = await answered(
      this.#needs.api.PUT("/v1/agents/{agent_id}/availability", { params, body }),
    );
    this.#show({ desk: { ...this.#shown.desk, availability: availability as Availability } });
  }

  /** Loads a conversation to be shown, unless it is there. */
  openThread(conversationId: string): void {
    this.#threads.open(conversationId);
    if (this.#hasKept(conversationId)) this.#outboxOf(conversationId);
  }

  /** Loads the messages before the first one of a conversation. */
  loadEarlier(conversationId: string): void {
    void this.#threads.loadEarlier(conversationId);
  }

  /** Says something. It is on its way at once, and kept until it has arrived. */
  say(conversationId: string, text: string): void {
    this.#typedAtMs.delete(conversationId);
    this.#outboxOf(conversationId).put(text);
  }

  /** Tries a message again that could not be sent. */
  retry(conversationId: string, clientMessageId: string): void {
    this.#outboxes.get(conversationId)?.retry(clientMessageId);
  }

  /** Gives a message up that could not be sent. */
  drop(conversationId: string, clientMessageId: string): void {
    this.#outboxes.get(conversationId)?.drop(clientMessageId);
  }

  /** The agent types. The visitor is told now and then. */
  type(conversationId: string): void {
    const nowMs = Date.now();
    if (nowMs - (this.#typedAtMs.get(conversationId) ?? 0) < TYPING_EVERY_MS) return;
    this.#typedAtMs.set(conversationId, nowMs);
    const params = { path: { conversation_id: conversationId } };
    // Nobody misses a sign that does not arrive.
    void this.#needs.api.POST("/v1/conversations/{conversation_id}/typing", { params }).catch(() => {});
  }

  /** The agent has seen everything up to this message. */
  read(conversationId: string, messageId: string): void {
    if ((this.#readTo.get(conversationId) ?? "") >= messageId) return;
    this.#readTo.set(conversationId, messageId);
    this.#show({ desk: readHere(this.#shown.desk, conversationId) });
    const params = { path: { conversation_id: conversationId } };
    const body = { message_id: messageId };
    void answered(this.#needs.api.POST("/v1/conversations/{conversation_id}/read", { params, body })).catch(
      (error: RondoError) => {
        if (error.isTransient) this.#readTo.delete(conversationId);
      },
    );
  }

  /** The agent has seen that it rings: nobody else need be told of it. */
  acknowledge(alertId: string): void {
    const params = { path: { agent_id: "me", alert_id: alertId } };
    void this.#needs.api
      .POST("/v1/agents/{agent_id}/alerts/{alert_id}/acknowledge", { params })
      .catch(() => {});
  }

  /** What left the desk and this page did not do itself, and may be told. It is told once. */
  takeDepartures(): Departure[] {
    const { departures } = this.#shown.desk;
    if (departures.length === 0) return [];
    this.#show({ desk: { ...this.#shown.desk, departures: [] } });
    return departures.filter(
      ({ conversation, reason }) =>
        !(this.#answeredHere.has(conversation.id) && (reason === "accepted" || reason === "declined")),
    );
  }

  async #answer(conversationId: string, how: "accept" | "decline"): Promise<Conversation> {
    if (this.#shown.answering.has(conversationId)) {
      throw new Error("an offer is answered once at a time");
    }
    this.#answeredHere.add(conversationId);
    this.#show({ answering: new Map([...this.#shown.answering, [conversationId, how]]) });
    const params = { path: { conversation_id: conversationId } };
    try {
      const conversation = await this.#decided(
        conversationId,
        how === "accept"
          ? this.#needs.api.POST("/v1/conversations/{conversation_id}/accept", { params })
          : this.#needs.api.POST("/v1/conversations/{conversation_id}/decline", { params }),
      );
      const desk = desks.answered(this.#shown.desk, conversationId);
      const isTaken = how === "accept" && conversation.status === "active";
      this.#show({ desk: isTaken ? desks.withChat(desk, conversation) : desk });
      return conversation;
    } catch (cause) {
      const error = cause as RondoError;
      this.#answeredHere.delete(conversationId);
      if (!error.isTransient) this.#show({ desk: desks.answered(this.#shown.desk, conversationId) });
      throw error;
    } finally {
      const left = new Map(this.#shown.answering);
      left.delete(conversationId);
      this.#show({ answering: left });
    }
  }

  /** What a command led to. The router may be slow to decide: then the conversation as it is now. */
  async #decided(
    conversationId: string,
    call: Promise<{ data?: Conversation | undefined; error?: unknown; response: Response }>,
  ): Promise<Conversation> {
    const { data, error, response } = await call.catch((cause) => {
      throw networkError(cause);
    });
    if (!response.ok) throw await errorOf(response, error);
    if (data) return data;
    const path = { conversation_id: conversationId };
    return answered(this.#needs.api.GET("/v1/conversations/{conversation_id}", { params: { path } }));
  }

  #hear(event: LiveEvent): void {
    const nowMs = Date.now();
    const isAnew = event.type === "snapshot" && this.#shown.desk.isKnown;
    const desk = desks.deskAfter(this.#shown.desk, event, nowMs);
    this.#threads.tell(event, nowMs);
    if (isAnew) this.#threads.reload();
    const returns = this.#shown.returns + (this.#wasLost ? 1 : 0);
    this.#wasLost = false;
    this.#show({ desk, returns });
    if (event.type === "message.posted" && event.conversation_id) {
      const { id, client_message_id } = event.data as { id: string; client_message_id: string };
      this.#outboxes.get(event.conversation_id)?.arrived({ id, client_message_id });
    }
    if (event.type === "alert.sent" && event.data.alert_id) this.acknowledge(String(event.data.alert_id));
    this.#follow(event);
  }

  /** What is known of the chats on the desk besides what the stream says. */
  #follow(event: LiveEvent): void {
    for (const { conversation, last } of this.#shown.desk.chats) {
      if (this.#hasKept(conversation.id)) this.#outboxOf(conversation.id);
      if (last === null && event.type === "snapshot") this.#peeks.add(conversation.id);
    }
    for (const [id, outbox] of this.#outboxes) outbox.setOpen(this.#takesMessages(id));
    for (let free = PEEKS_MAX; free > 0; free -= 1) void this.#peek();
  }

  /** Loads what was last said in a chat that the list shows. */
  async #peek(): Promise<void> {
    const [id] = this.#peeks;
    if (id === undefined) return;
    this.#peeks.delete(id);
    const thread = this.#threads.get(id);
    if (!thread) this.#threads.open(id);
  }

  #noteState(state: StreamState): void {
    if (state.is === "waiting" || state.is === "offline") this.#wasLost = this.#shown.desk.isKnown;
    if (state.is === "open" && this.#wasLost) {
      // A stream that resumes may have nothing to tell: that it is open is the news.
      this.#wasLost = false;
      this.#show({ stream: state, returns: this.#shown.returns + 1 });
      return;
    }
    this.#show({ stream: state });
  }

  #noteThread(id: string): void {
    const thread = this.#threads.get(id);
    const threads = new Map(this.#shown.threads);
    if (thread) threads.set(id, thread);
    for (const each of threads.keys()) if (!this.#threads.get(each)) threads.delete(each);
    const desk = thread
      ? desks.withMessages(this.#shown.desk, id, thread.known.messages)
      : this.#shown.desk;
    this.#show({ threads, desk });
    this.#outboxes.get(id)?.setOpen(this.#takesMessages(id));
    void this.#peek();
  }

  #takesMessages(id: string): boolean {
    return this.#shown.desk.chats.some(({ conversation }) => conversation.id === id);
  }

  #outboxOf(id: string): Outbox {
    const known = this.#outboxes.get(id);
    if (known) return known;
    const path = { conversation_id: id };
    const outbox = new Outbox({
      keep: this.#needs.keep,
      name: this.#keptName(id),
      post: (client_message_id, text) =>
        answered(
          this.#needs.api.POST("/v1/conversations/{conversation_id}/messages", {
            params: { path },
            body: { client_message_id, text },
          }),
        ),
      isKnown: (messageId) =>
        this.#threads.get(id)?.known.messages.some((message) => message.id === messageId) ?? false,
      onChange: (messages) => {
        const outgoing = new Map(this.#shown.outgoing);
        if (messages.length > 0) outgoing.set(id, messages);
        else outgoing.delete(id);
        this.#show({ outgoing });
      },
    });
    this.#outboxes.set(id, outbox);
    if (outbox.messages.length > 0) {
      this.#show({ outgoing: new Map([...this.#shown.outgoing, [id, outbox.messages]]) });
    }
    outbox.setOpen(this.#takesMessages(id));
    return outbox;
  }

  #hasKept(id: string): boolean {
    return this.#needs.keep.get(this.#keptName(id)) !== null;
  }

  #keptName(id: string): string {
    return `rondo:outbox:${this.#needs.agentId}:${id}`;
  }

  #refresh(conversation: Conversation): void {
    this.#threads.refresh(conversation);
    const isHere = this.#shown.desk.chats.some((chat) => chat.conversation.id === conversation.id);
    if (isHere) this.#show({ desk: desks.withChat(this.#shown.desk, conversation) });
  }

  #show(change: Partial<Shown>): void {
    this.#shown = { ...this.#shown, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** The messages of a conversation that are on their way. */
export function outgoingOf(shown: Shown, conversationId: string): readonly OutgoingMessage[] {
  return shown.outgoing.get(conversationId) ?? NOTHING_OUTGOING;
}

function readHere(desk: Desk, conversationId: string): Desk {
  const chats = desk.chats.map((chat) =>
    chat.conversation.id === conversationId ? { ...chat, unread: 0 } : chat,
  );
  return { ...desk, chats };
}
