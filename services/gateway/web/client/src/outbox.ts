// Messages on their way: in order, kept over a reload, sent again until they arrive, never twice.

import { backoffMs, RETRY_MS } from "./backoff.ts";
import { networkError, type RondoError } from "./errors.ts";
import { type Keep, memoryKeep } from "./keep.ts";
import { browserSurroundings, type Surroundings } from "./surroundings.ts";

/** A message on its way. */
export interface OutgoingMessage {
  client_message_id: string;
  text: string;
  /**
   * `waiting` until the conversation is open and its turn comes, `sending`, `retrying` after a failure that
   * may pass, `sent` once the API has it (`message_id`) but the stream has not told it yet, `failed` for good.
   */
  state: "waiting" | "sending" | "retrying" | "sent" | "failed";
  message_id?: string;
  error?: RondoError;
}

type Kept = Pick<OutgoingMessage, "client_message_id" | "text" | "message_id">;

/** What an outbox needs. */
export interface OutboxOptions {
  /** Posts a message. The same id may come several times, and must mean the same message. */
  post(clientMessageId: string, text: string): Promise<{ id: string }>;
  /** Whether the stream has told this message already: then it is no longer on its way once posted. */
  isKnown?(messageId: string): boolean;
  onChange(messages: readonly OutgoingMessage[]): void;
  /** Where messages outlast a reload, and under which name. */
  keep?: Keep;
  name?: string;
  newId?: () => string;
  surroundings?: Surroundings;
}

/** The messages of one conversation that are on their way. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #around: Surroundings;
  readonly #keep: Keep;
  readonly #name: string;
  #messages: OutgoingMessage[];
  #isOpen = false;
  #isBusy = false;
  #failures = 0;
  #cancelRetry: () => void = () => {};
  readonly #unwatch: () => void;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#around = options.surroundings ?? browserSurroundings();
    this.#keep = options.keep ?? memoryKeep();
    this.#name = options.name ?? "outbox";
    this.#messages = this.#kept();
    this.#unwatch = this.#around.watch((what) => {
      if (what !== "offline") this.retry();
    });
  }

  get messages(): readonly OutgoingMessage[] {
    return this.#messages;
  }

  /** Whether the conversation takes messages now. What is put in while it does not waits. */
  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
    if (isOpen) this.#sendNext();
  }

  /** Takes a message in, and returns the id it goes by. */
  put(text: string): string {
    const id = (this.#options.newId ?? (() => newClientMessageId()))();
    this.#change([...this.#messages, { client_message_id: id, text, state: "waiting" }]);
    this.#sendNext();
    return id;
  }

  /** Tries again at once: those that wait for their next try, and a failed one if it is named. */
  retry(clientMessageId?: string): void {
    this.#cancelRetry();
    if (clientMessageId !== undefined) this.#update(clientMessageId, { state: "waiting" });
    this.#sendNext();
  }

  /** Forgets a message, sent or not. */
  drop(clientMessageId: string): void {
    this.#change(this.#messages.filter((message) => message.client_message_id !== clientMessageId));
  }

  /** The stream has told a message: it is no longer on its way. */
  arrived(message: { id: string; client_message_id?: string | null }): void {
    const left = this.#messages.filter(
      (mine) => mine.client_message_id !== message.client_message_id && mine.message_id !== message.id,
    );
    if (left.length < this.#messages.length) this.#change(left);
  }

  /** Ends it; what was not sent stays kept. */
  close(): void {
    this.#isOpen = false;
    this.#cancelRetry();
    this.#unwatch();
  }

  #sendNext(): void {
    const next = this.#messages.find(({ state }) => state === "waiting" || state === "retrying");
    if (!this.#isOpen || this.#isBusy || !next) return;
    this.#isBusy = true;
    void this.#send(next).finally(() => {
      this.#isBusy = false;
      if (this.#failures === 0) this.#sendNext();
    });
  }

  async #send({ client_message_id: id, text, state }: OutgoingMessage): Promise<void> {
    if (state === "waiting") this.#update(id, { state: "sending" });
    try {
      const posted = await this.#options.post(id, text);
      this.#failures = 0;
      if (this.#options.isKnown?.(posted.id)) this.drop(id);
      else this.#update(id, { state: "sent", message_id: posted.id });
    } catch (cause) {
      const error = networkError(cause);
      if (!error.isTransient) {
        this.#failures = 0;
        this.#update(id, { state: "failed", error });
        return;
      }
      this.#failures += 1;
      this.#update(id, { state: "retrying", error });
      const delayMs = backoffMs(this.#failures, Math.max(RETRY_MS, error.retryAfterMs ?? 0), this.#around);
      this.#cancelRetry();
      this.#cancelRetry = this.#around.after(delayMs, () => this.#sendNext());
    }
  }

  #update(id: string, change: Partial<OutgoingMessage>): void {
    this.#change(
      this.#messages.map((message) =>
        message.client_message_id === id ? { ...message, ...change } : message,
      ),
    );
  }

  #change(messages: OutgoingMessage[]): void {
    this.#messages = messages;
    // Those sent are kept too, until the stream has told them: a reload may come in between.
    const kept = messages.map(({ client_message_id, text, message_id }) => ({
      client_message_id,
      text,
      message_id,
    }));
    this.#keep.set(this.#name, kept.length ? JSON.stringify(kept) : null);
    this.#options.onChange(messages);
  }

  #kept(): OutgoingMessage[] {
    try {
      const kept: Kept[] = JSON.parse(this.#keep.get(this.#name) ?? "[]");
      return kept.map((message) => ({ ...message, state: message.message_id ? "sent" : "waiting" }));
    } catch {
      return [];
    }
  }
}

/** An id that no other message has. Also where `crypto.randomUUID` is missing: on pages without HTTPS. */
export function newClientMessageId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
