// What an agent has written and not sent, kept per conversation over reloads.

import type { Keep } from "@rondo/client";

/** The drafts of one agent in this browser. */
export class Drafts {
  readonly #keep: Keep;
  readonly #agentId: string;

  constructor(keep: Keep, agentId: string) {
    this.#keep = keep;
    this.#agentId = agentId;
  }

  of(conversationId: string): string {
    return this.#keep.get(this.#name(conversationId)) ?? "";
  }

  set(conversationId: string, text: string): void {
    this.#keep.set(this.#name(conversationId), text || null);
  }

  #name(conversationId: string): string {
    return `rondo:draft:${this.#agentId}:${conversationId}`;
  }
}
