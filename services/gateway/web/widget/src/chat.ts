// The visitor's chat: what the views show and do, over the client. It knows nothing of how it looks.

import {
  allMessages,
  answered,
  browserKeep,
  browserSurroundings,
  type Calls,
  type ChatRequest,
  type Conversation,
  connectToConversation,
  createCalls,
  isFinal,
  type Keep,
  type Known,
  type LiveEvent,
  LiveStream,
  NOTHING_KNOWN,
  networkError,
  newClientMessageId,
  Outbox,
  type OutgoingMessage,
  type RondoError,
  type RouteBody,
  type SiteConfig,
  type StreamState,
  type Surroundings,
  told,
  Visitor,
  withHistory,
} from "@rondo/client";
import { Keeper } from "./keeper.ts";
import { Store } from "./store.ts";

/** How often "is typing" is told while somebody types. */
const TYPING_EVERY_MS = 3_000;

/** What is asked for with a chat. */
export interface Wish {
  route?: RouteBody;
  answers?: Record<string, string | number | boolean>;
}

/** Everything the views show. */
export interface ChatState {
  isOpen: boolean;
  config: SiteConfig;
  known: Known;
  outgoing: readonly OutgoingMessage[];
  connection: StreamState["is"];
  /** A request for a chat is on its way. */
  isAsking: boolean;
  /** Why the last thing that was tried did not work. */
  error: RondoError | null;
  unread: number;
  question: string | null;
  transcript: { is: "unasked" } | { is: "sending" | "sent"; to: string };
}

/** What the website is told of. */
export type Told = (event: string, detail: unknown) => void;

interface ChatParts {
  baseUrl: string;
  siteKey: string;
  tell: Told;
  local?: Keep;
  session?: Keep;
  fetch?: typeof fetch;
  surroundings?: Surroundings;
}

/** What is kept of a chat for every page and tab of the website. */
interface KeptChat {
  /** The request, until it is answered; repeated under the same key, it is the same request. */
  request?: { key: string; body: ChatRequest };
  conversation_id?: string;
  is_final?: boolean;
}

/** One visitor's chat on one website. */
export class Chat {
  readonly state: Store<ChatState>;
  readonly visitor: Visitor;
  /** What the website says of the visitor; sent with the next request for a chat. */
  attributes: Record<string, string | number | boolean> = {};
  /** What the website wants of the chat that the visitor is about to ask for. */
  wish: Wish = {};
  readonly #parts: ChatParts;
  readonly #api: Calls;
  readonly #local: Keep;
  readonly #session: Keep;
  readonly #around: Surroundings;
  readonly #keeper: Keeper;
  readonly #closing = new AbortController();
  #stream: LiveStream | null = null;
  #outbox: Outbox | null = null;
  #typingToldMs = 0;
  #readToldId: string | null = null;

  constructor(parts: ChatParts) {
    this.#parts = parts;
    this.#local = parts.local ?? browserKeep("local");
    this.#session = parts.session ?? browserKeep("session");
    this.#around = parts.surroundings ?? browserSurroundings();
    const { baseUrl, siteKey, fetch } = parts;
    const given = fetch ? { fetch } : {};
    this.visitor = new Visitor({
      baseUrl,
      siteKey,
      keep: this.#local,
      surroundings: this.#around,
      ...given,
    });
    this.#api = createCalls({ baseUrl, credential: this.visitor, ...given });
    this.state = new Store<ChatState>({
      isOpen: this.#session.get(this.#name("open")) === "1",
      config: this.visitor.config,
      known: NOTHING_KNOWN,
      outgoing: [],
      connection: "closed",
      isAsking: false,
      error: null,
      unread: 0,
      question: null,
      transcript: { is: "unasked" },
    });
    this.#keeper = new Keeper(() => this.#followKeeper());
    this.#watchTabs();
  }

  /** Goes on with the chat that there is, and learns how the website wants its widget. */
  async begin(): Promise<void> {
    await this.#resume();
    try {
      await this.visitor.session();
      this.state.set({ config: this.visitor.config });
    } catch (cause) {
      this.#fail(cause);
    }
  }

  open(): void {
    if (this.state.get().isOpen) return;
    this.#session.set(this.#name("open"), "1");
    this.state.set({ isOpen: true });
    this.#parts.tell("opened", {});
    if (this.#kept().is_final && !this.#stream) void this.#resume();
    this.seen();
  }

  close(): void {
    if (!this.state.get().isOpen) return;
    this.#session.set(this.#name("open"), null);
    this.state.set({ isOpen: false });
    this.#parts.tell("closed", {});
  }

  /** Says who the visitor is, by a token that the website's backend has signed. */
  async identify(identity: string): Promise<void> {
    await this.visitor.identify(identity);
    this.state.set({ config: this.visitor.config, error: null });
  }

  /** Asks for a chat. What cannot be sent is kept, and asked for again under the same key. */
  async start(visitor: Record<string, string>, question: string): Promise<void> {
    const { route, answers } = this.wish;
    const { config } = this.state.get();
    const url = location.href.slice(0, 2_000);
    const known: ChatRequest["visitor"] = { ...visitor, language: navigator.language };
    const body = {
      visitor: { ...known, attributes: this.attributes },
      route: route ?? config.route ?? { type: "round_robin" },
      ...(url.startsWith("http") && { page: { url } }),
      answers: { ...answers, ...(question && { question }) },
    } as ChatRequest;
    const before = this.#kept().request;
    const isSame = before && JSON.stringify(before.body) === JSON.stringify(body);
    await this.#ask(isSame ? before : { key: newClientMessageId(), body });
  }

  /** Tries again what did not work. */
  async again(): Promise<void> {
    this.state.set({ error: null });
    const { request } = this.#kept();
    if (request) await this.#ask(request);
    else await this.begin();
  }

  /** Leaves while waiting. */
  async leave(): Promise<void> {
    await this.#command("withdraw");
  }

  /** Ends the chat. */
  async end(): Promise<void> {
    await this.#command("end");
  }

  /** Puts a message on its way. */
  say(text: string): void {
    this.#outbox?.put(text);
    this.#typingToldMs = 0;
  }

  retry(clientMessageId: string): void {
    this.#outbox?.retry(clientMessageId);
  }

  discard(clientMessageId: string): void {
    this.#outbox?.drop(clientMessageId);
  }

  /** The visitor is typing. */
  typing(): void {
    const nowMs = this.#around.now();
    if (nowMs - this.#typingToldMs < TYPING_EVERY_MS) return;
    this.#typingToldMs = nowMs;
    // Typing that cannot be told now is of no interest later.
    void this.#post("typing").catch(() => {});
  }

  /** The visitor sees what there is. */
  seen(): void {
    const { isOpen, known } = this.state.get();
    const last = known.messages.findLast(({ author }) => author.type !== "visitor");
    if (!isOpen || document.visibilityState === "hidden" || !last) return;
    this.#local.set(this.#name("seen"), last.id);
    if (this.state.get().unread) this.state.set({ unread: 0 });
    if (known.conversation?.status !== "active" || this.#readToldId === last.id) return;
    this.#readToldId = last.id;
    void this.#post("read", { message_id: last.id }).catch(() => {});
  }

  /** Asks for the transcript by email. */
  async mail(to: string): Promise<void> {
    this.state.set({ transcript: { is: "sending", to }, error: null });
    try {
      await this.#post("transcript/email", { to });
      this.state.set({ transcript: { is: "sent", to } });
    } catch (cause) {
      this.state.set({ transcript: { is: "unasked" } });
      this.#fail(cause);
    }
  }

  /** Rates the chat, from 1 to 5; whether that was taken. */
  async rate(score: number, comment: string): Promise<boolean> {
    this.#parts.tell("rated", { score });
    try {
      await this.#post("rating", { score, ...(comment && { comment }) });
      return true;
    } catch (cause) {
      this.#fail(cause);
      return false;
    }
  }

  /** The visitor wants to meet instead; the website knows how. */
  wantsMeeting(): void {
    this.#parts.tell("meeting.requested", { conversation_id: this.#kept().conversation_id });
  }

  /** Puts the chat that is over aside. */
  renew(): void {
    this.#keep({});
    this.#hangUp();
  }

  /** Forgets the visitor on this device, and ends everything here. The conversation itself goes on. */
  shutdown(): void {
    this.#closing.abort();
    this.#keeper.stop();
    this.#hangUp();
    for (const name of ["chat", "seen"]) this.#local.set(this.#name(name), null);
    for (const name of ["open", "draft", "details"]) this.#session.set(this.#name(name), null);
    this.visitor.forget();
  }

  /** A text that outlasts a reload in this tab: a draft, what was filled in. */
  draft(name: "draft" | "details", text?: string): string {
    if (text !== undefined) this.#session.set(this.#name(name), text || null);
    return text ?? this.#session.get(this.#name(name)) ?? "";
  }

  async #ask(request: NonNullable<KeptChat["request"]>): Promise<void> {
    if (this.state.get().isAsking) return;
    this.#keep({ request });
    this.state.set({ isAsking: true, error: null });
    try {
      const headers = { "Idempotency-Key": request.key };
      const call = this.#api.POST("/v1/conversations", {
        params: { header: headers as never },
        headers,
        body: request.body,
      });
      const { visitor_token: _, ...conversation } = await answered(call);
      this.#keep({ conversation_id: conversation.id });
      this.#parts.tell("conversation.requested", { conversation_id: conversation.id });
      this.#follow(conversation);
    } catch (cause) {
      const error = networkError(cause);
      if (!error.isTransient) this.#keep({});
      this.#fail(error);
    } finally {
      this.state.set({ isAsking: false });
    }
  }

  async #command(name: "withdraw" | "end"): Promise<void> {
    try {
      this.state.set({ error: null });
      await this.#post(name);
    } catch (cause) {
      const error = networkError(cause);
      if (error.status !== 409) this.#fail(error); // It went on meanwhile; the stream tells how.
    }
  }

  async #resume(): Promise<void> {
    const kept = this.#kept();
    if (kept.conversation_id) {
      if (!kept.is_final || this.state.get().isOpen) this.#connect(kept.conversation_id);
    } else if (kept.request) {
      await this.#ask(kept.request);
    }
  }

  #follow(conversation: Conversation): void {
    this.state.set({ known: { ...NOTHING_KNOWN, conversation } });
    this.#connect(conversation.id);
  }

  #connect(id: string): void {
    if (this.#stream) {
      this.#followKeeper();
      return;
    }
    const { baseUrl, fetch } = this.#parts;
    const api = { baseUrl, credential: this.visitor, ...(fetch && { fetch }) };
    this.#outbox = new Outbox({
      post: (client_message_id, text) => this.#post("messages", { client_message_id, text }, id),
      isKnown: (messageId) => this.state.get().known.messages.some((message) => message.id === messageId),
      onChange: (outgoing) => this.state.set({ outgoing }),
      keep: this.#session,
      name: this.#name(`outbox:${id}`),
      surroundings: this.#around,
    });
    this.state.set({ outgoing: this.#outbox.messages, transcript: { is: "unasked" } });
    this.#stream = new LiveStream({
      connect: (cursor, signal) => connectToConversation(api, id, cursor, signal),
      renew: async () => this.visitor.renewed(await this.visitor.token()),
      onEvent: (event) => this.#hear(event),
      onState: (state) => this.#streamIs(state),
      surroundings: this.#around,
    });
    this.#keeper.hold(`rondo:${id}`);
    this.#followKeeper();
  }

  #followKeeper(): void {
    if (this.#keeper.mayListen) this.#stream?.open();
    else this.#stream?.close();
  }

  /** Posts to the conversation there is; `Answer` is what the API documents for `call`. */
  async #post<Answer>(call: string, body?: object, id = this.#kept().conversation_id): Promise<Answer> {
    // The calls differ in nothing but their bodies; one type stands for all.
    const path =
      `/v1/conversations/{conversation_id}/${call}` as "/v1/conversations/{conversation_id}/read";
    const init = { params: { path: { conversation_id: id } }, body } as never;
    return answered(this.#api.POST(path, init)) as Promise<Answer>;
  }

  #hear(event: LiveEvent): void {
    const before = this.state.get().known;
    const known = told(before, event, this.#around.now());
    this.state.set({ known, question: questionOf(known.conversation) });
    for (const message of event.type === "snapshot" ? known.messages : known.messages.slice(-1)) {
      this.#outbox?.arrived(message);
    }
    this.#outbox?.setOpen(known.conversation?.status === "active");
    if (event.type === "message.posted" && known !== before) this.#parts.tell("message", event.data);
    this.#tellStatus(before.conversation, known.conversation);
    this.#countUnread();
    this.seen();
    if (known.isIncomplete) void this.#readHistory();
  }

  #tellStatus(before: Conversation | null, now: Conversation | null): void {
    if (!now) return;
    if (isFinal(now)) this.#keep({ conversation_id: now.id, is_final: true });
    const step = now.status === "active" ? "accepted" : now.status;
    if (before && before.status !== now.status) {
      this.#parts.tell(`conversation.${step}`, { conversation_id: now.id });
    }
    if (now.status === "withdrawn") this.renew();
  }

  async #readHistory(): Promise<void> {
    const { conversation } = this.state.get().known;
    if (!conversation) return;
    try {
      const history = await allMessages(this.#api, conversation.id);
      const { known } = this.state.get();
      if (known.conversation?.id === conversation.id)
        this.state.set({ known: withHistory(known, history) });
    } catch {
      // The next snapshot asks for it again; what came live is shown meanwhile.
    }
  }

  #streamIs(state: StreamState): void {
    this.state.set({ connection: state.is });
    if (state.is !== "closed" || !state.error) return;
    if (state.error.status === 404 || state.error.status === 403) this.renew();
    this.#fail(state.error);
  }

  #countUnread(): void {
    const { messages } = this.state.get().known;
    const seen = this.#local.get(this.#name("seen"));
    const at = messages.findIndex(({ id }) => id === seen);
    const unread = messages.slice(at + 1).filter(({ author }) => author.type === "agent").length;
    if (unread !== this.state.get().unread) this.state.set({ unread });
  }

  #hangUp(): void {
    this.#stream?.close();
    this.#outbox?.close();
    this.#keeper.release();
    this.#stream = null;
    this.#outbox = null;
    this.#readToldId = null;
    this.state.set({ known: NOTHING_KNOWN, outgoing: [], unread: 0, question: null, error: null });
  }

  #fail(cause: unknown): void {
    const error = networkError(cause);
    this.state.set({ error });
    this.#parts.tell("error", { code: error.code, status: error.status, message: error.message });
  }

  /** Other tabs of the website begin chats and put them aside; this one goes along. */
  #watchTabs(): void {
    const { signal } = this.#closing;
    const onStorage = ({ key }: StorageEvent) => {
      if (key === this.#name("seen")) this.#countUnread();
      if (key !== this.#name("chat")) return;
      const { conversation_id } = this.#kept();
      const mine = this.state.get().known.conversation?.id;
      if (mine && conversation_id !== mine) this.#hangUp();
      if (conversation_id && conversation_id !== mine) void this.#resume();
    };
    window.addEventListener("storage", onStorage, { signal });
    document.addEventListener("visibilitychange", () => this.seen(), { signal });
  }

  #name(of: string): string {
    return `rondo:${this.#parts.siteKey}:${of}`;
  }

  #kept(): KeptChat {
    try {
      return JSON.parse(this.#local.get(this.#name("chat")) ?? "{}") ?? {};
    } catch {
      return {};
    }
  }

  #keep(chat: KeptChat): void {
    this.#local.set(this.#name("chat"), Object.keys(chat).length ? JSON.stringify(chat) : null);
  }
}

function questionOf(conversation: Conversation | null): string | null {
  const question = conversation?.answers?.["question"];
  return typeof question === "string" ? question : null;
}
