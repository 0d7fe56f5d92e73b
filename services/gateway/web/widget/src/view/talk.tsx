// The talk: what was said, what is on its way, and the field to write in.

import { type Conversation, type Message, type OutgoingMessage, pieces, TYPING_MS } from "@rondo/client";
import { Component } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useStore } from "../store.ts";
import { Composer } from "./composer.tsx";
import { useSetting } from "./context.ts";
import { DownIcon } from "./icons.tsx";

/** So many messages are drawn at first; earlier ones when they are asked for. */
const DRAWN_MAX = 100;
/** Messages of one side within this time stand together. */
const TOGETHER_MS = 5 * 60_000;
/** So near to its end, the list follows what comes. */
const END_PX = 80;

export function Talk({ conversation }: { conversation: Conversation }) {
  const { chat, language } = useSetting();
  const { known, outgoing } = useStore(chat.state);
  const [drawn, setDrawn] = useState(DRAWN_MAX);
  const list = useRef<HTMLDivElement>(null);
  const { isAtEnd, toEnd } = useFollowing(list, [known.messages.length, outgoing.length]);
  const messages = known.messages.slice(-drawn);
  const readTo = known.messages.findIndex(({ id }) => id === known.read.agent);
  const read = known.messages.slice(0, readTo + 1).findLast(({ author }) => author.type === "visitor");
  const isActive = conversation.status === "active";
  const typing = useTyping(known.typedAtMs.agent) && isActive;
  const name = conversation.agent?.name ?? language.say("someone");
  return (
    <div class="talk">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <div class="list" ref={list} role="log" aria-label={name} tabIndex={0}>
        {known.messages.length > drawn && (
          <button type="button" class="link" onClick={() => setDrawn(drawn + 5 * DRAWN_MAX)}>
            {language.say("earlier")}
          </button>
        )}
        {conversation.agent && <p class="system">{language.say("joined", { name })}</p>}
        {messages.map((message, index) => (
          <Line
            key={message.id}
            message={message}
            isFirst={!isTogether(messages[index - 1], message)}
            isLast={!isTogether(message, messages[index + 1])}
            isRead={message === read}
          />
        ))}
        {outgoing.map((message) => (
          <Outgoing key={message.client_message_id} message={message} />
        ))}
      </div>
      {!isAtEnd && (
        <button type="button" class="newest" onClick={toEnd}>
          <DownIcon /> {language.say("newest")}
        </button>
      )}
      <p class={typing ? "typing" : "typing is-still"} role="status">
        {typing && (
          <>
            <span class="dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
            {language.say("typing", { name })}
          </>
        )}
      </p>
      {known.idleEndsAt && isActive && (
        <p class="notice" role="alert">
          {language.say("idle", { time: language.time(known.idleEndsAt) })}
        </p>
      )}
      {isActive && <Composer />}
    </div>
  );
}

interface LineProps {
  message: Message;
  isFirst: boolean;
  isLast: boolean;
  isRead: boolean;
}

/** A line that is drawn once: a long talk is not drawn anew for every word that is added. */
class Line extends Component<LineProps> {
  override shouldComponentUpdate(next: LineProps): boolean {
    const { props } = this;
    return (Object.keys(next) as (keyof LineProps)[]).some((name) => next[name] !== props[name]);
  }

  override render() {
    return <DrawnLine {...this.props} />;
  }
}

function DrawnLine({ message, isFirst, isLast, isRead }: LineProps) {
  const { language } = useSetting();
  const { author } = message;
  if (author.type === "system") return <p class="system">{message.text}</p>;
  const isMine = author.type === "visitor";
  const who = isMine
    ? language.say("you")
    : language.say("says", { name: author.name ?? language.say("someone") });
  return (
    <div class={`line ${isMine ? "mine" : "theirs"}${isFirst ? " is-first" : ""}`}>
      <span class="unseen">{who}: </span>
      <p class="bubble" dir="auto">
        <Text text={message.text} />
      </p>
      {(isLast || isRead) && (
        <span class="when">
          <time dateTime={message.sent_at}>{language.time(message.sent_at)}</time>
          {isRead && ` · ${language.say("read")}`}
        </span>
      )}
    </div>
  );
}

function Outgoing({ message }: { message: OutgoingMessage }) {
  const { chat, language } = useSetting();
  const { client_message_id: id, state } = message;
  return (
    <div class={`line mine is-first is-${state}`}>
      <span class="unseen">{language.say("you")}: </span>
      <p class="bubble" dir="auto">
        <Text text={message.text} />
      </p>
      {(state === "sending" || state === "waiting") && <span class="when">{language.say("sending")}</span>}
      {(state === "retrying" || state === "failed") && (
        <span class="when is-wrong">
          {language.say(state)}{" "}
          <button type="button" class="link" onClick={() => chat.retry(id)}>
            {language.say("retry")}
          </button>
          {state === "failed" && (
            <button type="button" class="link" onClick={() => chat.discard(id)}>
              {language.say("discard")}
            </button>
          )}
        </span>
      )}
    </div>
  );
}

// Here and elsewhere, a view is an element and no fragment: Preact copies a fragment that a view returns, and
// cannot where a page has frozen `Object.prototype`.
function Text({ text }: { text: string }) {
  return (
    <span>
      {pieces(text).map((piece) =>
        piece.href ? (
          <a href={piece.href} target="_blank" rel="noopener noreferrer nofollow ugc">
            {piece.text}
          </a>
        ) : (
          piece.text
        ),
      )}
    </span>
  );
}

function isTogether(before: Message | undefined, message: Message | undefined): boolean {
  if (!before || !message || before.author.type !== message.author.type) return false;
  if (before.author.id !== message.author.id) return false;
  return Date.parse(message.sent_at) - Date.parse(before.sent_at) < TOGETHER_MS;
}

/** Keeps the list at its end while the reader is there, and leaves it alone while they read above. */
function useFollowing(list: { current: HTMLElement | null }, changes: readonly unknown[]) {
  const [isAtEnd, setAtEnd] = useState(true);
  const toEnd = () => {
    if (list.current) list.current.scrollTop = list.current.scrollHeight;
    setAtEnd(true);
  };
  useLayoutEffect(() => {
    if (isAtEnd) toEnd();
  }, changes);
  useEffect(() => {
    const element = list.current;
    if (!element) return;
    const look = () => setAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < END_PX);
    element.addEventListener("scroll", look, { passive: true });
    const resized = new ResizeObserver(() => {
      if (element.scrollHeight - element.scrollTop - element.clientHeight < END_PX * 2) toEnd();
    });
    resized.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      resized.disconnect();
    };
  }, []);
  return { isAtEnd, toEnd };
}

/** Whether somebody who was last seen typing at `atMs` is still shown as typing. */
function useTyping(atMs: number | undefined): boolean {
  const [isTyping, setTyping] = useState(false);
  useEffect(() => {
    const leftMs = atMs === undefined ? 0 : atMs + TYPING_MS - Date.now();
    setTyping(leftMs > 0);
    if (leftMs <= 0) return;
    const timer = setTimeout(() => setTyping(false), leftMs);
    return () => clearTimeout(timer);
  }, [atMs]);
  return isTyping;
}
