// `window.Rondo`: what a website can do with its widget.

import { Chat, type Wish } from "./chat.ts";
import { type Placement, place } from "./element.ts";

/** A listener of a website. */
export type Listener = (detail: never) => void;

/** What the script's tag says. */
export interface Tag {
  baseUrl: string;
  siteKey: string;
  language: string | null;
  theme: Placement["theme"];
  side: Placement["side"];
}

/** The website's side of the widget. */
export interface RondoSdk {
  /** Opens the panel. */
  open(): void;
  /** Closes the panel; the chat goes on. */
  close(): void;
  /** Says who the visitor is, by a token that the website's backend has signed. */
  identify(identity: string): Promise<void>;
  /** Says what the website knows of the visitor; the next chat tells the agent. */
  setAttributes(attributes: Record<string, string | number | boolean>): void;
  /** Opens the panel to ask for a chat on this route, with these answers. */
  startConversation(wish?: Wish): void;
  /** Calls `listener` whenever `event` happens; the returned function ends that. */
  on(event: string, listener: Listener): () => void;
  /** Calls `action` with this object: at once, or when the script has loaded. */
  push(action: (rondo: RondoSdk) => void): void;
  /** Takes the widget away and forgets the visitor on this device. */
  shutdown(): void;
}

/** The website's side, on the page. */
export function startSdk(tag: Tag): RondoSdk {
  const listeners = new Map<string, Set<Listener>>();
  const call = (listener: Listener, detail: unknown) => {
    try {
      listener(detail as never);
    } catch (error) {
      reportError(error); // The website's own mistake; the widget goes on.
    }
  };
  const tell = (event: string, detail: unknown) => {
    for (const listener of [...(listeners.get(event) ?? [])]) call(listener, detail);
  };
  const chat = new Chat({ baseUrl: tag.baseUrl, siteKey: tag.siteKey, tell });
  const remove = place({ chat, language: tag.language, theme: tag.theme, side: tag.side });
  let isUp = true;
  const guarded = (action: () => void) => {
    if (isUp) action();
  };
  const sdk: RondoSdk = {
    open: () => guarded(() => chat.open()),
    close: () => guarded(() => chat.close()),
    identify: async (identity) => {
      if (isUp) await chat.identify(identity);
    },
    setAttributes: (attributes) => {
      chat.attributes = { ...chat.attributes, ...attributes };
    },
    startConversation: (wish = {}) =>
      guarded(() => {
        chat.wish = wish;
        chat.open();
      }),
    on: (event, listener) => {
      const mine = listeners.get(event) ?? new Set();
      listeners.set(event, mine.add(listener));
      if (event === "ready") call(listener, {}); // It is: whoever asks is told at once.
      return () => void mine.delete(listener);
    },
    push: (action) => action(sdk),
    shutdown: () =>
      guarded(() => {
        isUp = false;
        remove();
        chat.shutdown();
        listeners.clear();
      }),
  };
  void chat.begin();
  return sdk;
}
