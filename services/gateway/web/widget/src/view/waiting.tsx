// Until somebody answers: that they are looked for, or the place in line.

import type { Conversation } from "@rondo/client";
import { useEffect, useRef } from "preact/hooks";
import { useStore } from "../store.ts";
import type { Language } from "../texts.ts";
import { useSetting } from "./context.ts";

export function Waiting({ conversation }: { conversation: Conversation }) {
  const { chat, language } = useSetting();
  const { question } = useStore(chat.state);
  const leave = useRef<HTMLButtonElement>(null);
  // The form that had the focus is gone.
  useEffect(() => leave.current?.focus({ preventScroll: true }), []);
  const queue = conversation.queue as { position: number; estimated_wait_s: number | null } | null;
  return (
    <div class="waiting body">
      <div class="pulse" aria-hidden="true">
        <span />
        <span />
        <span />
      </div>
      <div role="status">
        <p class="headline">{queue ? placeIn(queue, language) : language.say("finding")}</p>
        <p>{queue ? waitIn(queue, language) : language.say("finding_hint")}</p>
      </div>
      {question && (
        <figure class="asked">
          <figcaption>{language.say("asked")}</figcaption>
          <blockquote dir="auto">{question}</blockquote>
        </figure>
      )}
      <button ref={leave} type="button" class="secondary" onClick={() => void chat.leave()}>
        {language.say("leave")}
      </button>
    </div>
  );
}

function placeIn({ position }: { position: number }, language: Language): string {
  return position <= 1 ? language.say("next_in_line") : language.say("place", { n: position });
}

function waitIn(queue: { estimated_wait_s: number | null }, language: Language): string {
  if (queue.estimated_wait_s === null || queue.estimated_wait_s === undefined) return "";
  const minutes = Math.round(queue.estimated_wait_s / 60);
  return minutes < 1 ? language.say("wait_soon") : language.count("wait", minutes);
}
