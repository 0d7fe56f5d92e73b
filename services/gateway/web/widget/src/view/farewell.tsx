// After the chat: why it is over, and what can be done now.

import type { Conversation } from "@rondo/client";
import { useEffect, useRef } from "preact/hooks";
import { useStore } from "../store.ts";
import type { Language } from "../texts.ts";
import { useSetting } from "./context.ts";
import { Mail } from "./mail.tsx";
import { Rating } from "./rating.tsx";
import { RichText } from "./rich_text.tsx";

export function Farewell({ conversation }: { conversation: Conversation }) {
  const { chat, language } = useSetting();
  const { fallback } = conversation;
  const again = useRef<HTMLButtonElement>(null);
  useEffect(() => again.current?.focus({ preventScroll: true }), []);
  return (
    <div class={fallback ? "farewell body" : "farewell"}>
      <div role="status">
        {fallback ? (
          <RichText html={fallback.message ?? language.say("fallback")} />
        ) : (
          <p class="headline">{reasonOf(conversation, language)}</p>
        )}
      </div>
      {fallback?.offer_meeting && <Meeting />}
      {conversation.status === "ended" && <Rating conversation={conversation} />}
      {conversation.status === "ended" && <Mail />}
      <button ref={again} type="button" class="primary" onClick={() => chat.renew()}>
        {language.say("new_chat")}
      </button>
    </div>
  );
}

function Meeting() {
  const { chat, language } = useSetting();
  const { config } = useStore(chat.state);
  return (
    <div class="meeting">
      <p>{language.say("meeting")}</p>
      {config.meeting_url ? (
        <a class="secondary" href={config.meeting_url} target="_blank" rel="noopener noreferrer">
          {language.say("book")}
        </a>
      ) : (
        <button type="button" class="secondary" onClick={() => chat.wantsMeeting()}>
          {language.say("book")}
        </button>
      )}
    </div>
  );
}

function reasonOf({ ended, agent }: Conversation, language: Language): string {
  switch (ended?.reason) {
    case "visitor_ended":
      return language.say("ended_visitor");
    case "idle":
      return language.say("ended_idle");
    case "agent_lost":
      return language.say("ended_lost");
    default:
      return language.say("ended_agent", { name: agent?.name ?? language.say("someone") });
  }
}
