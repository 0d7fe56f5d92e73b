// One live stream that stays: it resumes after its cursor, waits its turn, and notices silence.

import { createParser, type EventSourceMessage } from "eventsource-parser";
import { backoffMs, RETRY_MS } from "./backoff.ts";
import { errorOf, networkError, type RondoError } from "./errors.ts";
import { browserSurroundings, type Surroundings } from "./surroundings.ts";

/** Without a byte for this long (the server beats every 20 s), the connection is dead. */
export const SILENCE_MS_MAX = 45_000;

/** One event of a stream, as the API documents it. */
export interface LiveEvent {
  /** The event's own id; the same event always has the same one. */
  id: string;
  type: string;
  conversation_id: string | null;
  occurred_at: string;
  data: Record<string, unknown>;
}

/** How the stream is. `closed` is final: it was closed, or refused for good. */
export type StreamState =
  | { is: "connecting" }
  | { is: "open" }
  | { is: "waiting"; untilMs: number }
  | { is: "offline" }
  | { is: "closed"; error: RondoError | null };

/** What a stream needs. */
export interface StreamOptions {
  /** Asks for the stream, after `cursor` if there is one. */
  connect(cursor: string | null, signal: AbortSignal): Promise<Response>;
  /** Gets a new credential after a 401. A transient failure is tried again, another closes the stream. */
  renew?: () => Promise<unknown>;
  onEvent(event: LiveEvent, cursor: string): void;
  onState?(state: StreamState): void;
  /** Where to go on; without it the stream begins with a snapshot. */
  cursor?: string | null;
  surroundings?: Surroundings;
}

/** A live stream. It connects with `open` and comes back by itself until `close`. */
export class LiveStream {
  readonly #options: StreamOptions;
  readonly #around: Surroundings;
  #cursor: string | null;
  #state: StreamState = { is: "closed", error: null };
  #running: AbortController | null = null;
  #retryMs = RETRY_MS;
  #lastByteMs = 0;
  #wake: () => void = () => {};
  #hangUp: () => void = () => {};

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#around = options.surroundings ?? browserSurroundings();
    this.#cursor = options.cursor ?? null;
  }

  get state(): StreamState {
    return this.#state;
  }

  /** Where the stream would go on. */
  get cursor(): string | null {
    return this.#cursor;
  }

  /** Connects, unless it does already. */
  open(): void {
    if (this.#running) return;
    this.#running = new AbortController();
    const { signal } = this.#running;
    const unwatch = this.#around.watch((what) => this.#notice(what));
    signal.addEventListener("abort", unwatch);
    void this.#run(signal);
  }

  /** Ends it; `open` goes on after the cursor. */
  close(): void {
    this.#finish(null);
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    let hasRenewed = false;
    while (!signal.aborted) {
      if (!this.#around.isOnline()) {
        this.#tell({ is: "offline" });
        await this.#sleep(Number.POSITIVE_INFINITY, signal);
        continue;
      }
      const { error, hasHeard } = await this.#listen(signal);
      if (signal.aborted) return;
      if (hasHeard) {
        failures = 0;
        hasRenewed = false;
      }
      if (error?.status === 401 && this.#options.renew && !hasRenewed) {
        hasRenewed = true;
        if (await this.#renewed(signal)) continue;
        hasRenewed = false; // It could not be asked for: that is no refusal yet.
      } else if (error?.status === 400 && this.#cursor !== null) {
        this.#cursor = null; // Not a cursor of this server: begin with a snapshot.
        continue;
      } else if (error && !error.isTransient) {
        this.#finish(error);
        return;
      }
      if (signal.aborted) return;
      const delayMs = backoffMs(failures, Math.max(this.#retryMs, error?.retryAfterMs ?? 0), this.#around);
      failures += 1;
      this.#tell({ is: "waiting", untilMs: this.#around.now() + delayMs });
      await this.#sleep(delayMs, signal);
    }
  }

  /** One connection, to its end. */
  async #listen(signal: AbortSignal): Promise<{ error: RondoError | null; hasHeard: boolean }> {
    const connection = new AbortController();
    const hangUp = () => connection.abort();
    signal.addEventListener("abort", hangUp);
    this.#hangUp = hangUp;
    this.#tell({ is: "connecting" });
    let hasHeard = false;
    const stopWatching = this.#watchSilence(hangUp);
    try {
      const response = await this.#options.connect(this.#cursor, connection.signal);
      if (!response.ok || !response.body) return { error: await errorOf(response), hasHeard };
      this.#tell({ is: "open" });
      const parser = createParser({
        onEvent: (message) => {
          hasHeard = true;
          if (!connection.signal.aborted) this.#hear(message);
        },
        onRetry: (delayMs) => {
          this.#retryMs = delayMs;
        },
      });
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      connection.signal.addEventListener("abort", () => void reader.cancel().catch(() => {}));
      for (;;) {
        const { done, value } = await reader.read();
        if (done || connection.signal.aborted) return { error: null, hasHeard };
        this.#lastByteMs = this.#around.now();
        parser.feed(decoder.decode(value, { stream: true }));
      }
    } catch (cause) {
      return { error: networkError(cause), hasHeard };
    } finally {
      stopWatching();
      signal.removeEventListener("abort", hangUp);
    }
  }

  #hear(message: EventSourceMessage): void {
    let event: LiveEvent;
    try {
      event = JSON.parse(message.data);
    } catch {
      return; // Not ours: a proxy's, perhaps.
    }
    if (message.id !== undefined) this.#cursor = message.id;
    this.#options.onEvent(event, this.#cursor ?? "");
  }

  /** Calls `hangUp` when nothing has been heard for too long. Timers of hidden pages are late, never early. */
  #watchSilence(hangUp: () => void): () => void {
    this.#lastByteMs = this.#around.now();
    let cancel = () => {};
    const look = () => {
      const leftMs = this.#lastByteMs + SILENCE_MS_MAX - this.#around.now();
      if (leftMs <= 0) hangUp();
      else cancel = this.#around.after(leftMs, look);
    };
    look();
    return () => cancel();
  }

  async #renewed(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.renew?.();
      return true;
    } catch (cause) {
      const error = networkError(cause);
      if (!error.isTransient && !signal.aborted) this.#finish(error);
      return false;
    }
  }

  #notice(what: "online" | "offline" | "visible"): void {
    if (what === "offline") {
      this.#hangUp();
      return;
    }
    const isSilent = this.#around.now() - this.#lastByteMs >= SILENCE_MS_MAX;
    if (this.#state.is === "open" && isSilent) this.#hangUp();
    this.#wake();
  }

  /** Waits, or less long when the browser notices something worth a try. */
  #sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const cancel = Number.isFinite(delayMs) ? this.#around.after(delayMs, () => this.#wake()) : () => {};
      this.#wake = () => {
        cancel();
        signal.removeEventListener("abort", this.#wake);
        this.#wake = () => {};
        resolve();
      };
      signal.addEventListener("abort", this.#wake);
    });
  }

  #finish(error: RondoError | null): void {
    const running = this.#running;
    if (!running) return;
    this.#running = null;
    running.abort();
    this.#tell({ is: "closed", error });
  }

  #tell(state: StreamState): void {
    this.#state = state;
    this.#options.onState?.(state);
  }
}
