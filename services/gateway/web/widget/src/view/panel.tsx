// The open chat: who it is with, what it is about now, and what went wrong.

import { isFinal } from "@rondo/client";
import { useEffect, useRef, useState } from "preact/hooks";
import { useStore } from "../store.ts";
import { ownUnlessDefault } from "../texts.ts";
import { Avatar } from "./avatar.tsx";
import { useSetting } from "./context.ts";
import { Farewell } from "./farewell.tsx";
import { CloseIcon } from "./icons.tsx";
import { Menu } from "./menu.tsx";
import { Notice } from "./notice.tsx";
import { Start } from "./start.tsx";
import { Talk } from "./talk.tsx";
import { Waiting } from "./waiting.tsx";

/** Narrower than this, the panel covers the page. The same number is in the styles. */
const FULL_SCREEN = "(max-width: 480px)";

export function Panel() {
  const { chat, language } = useSetting();
  const { known, config } = useStore(chat.state);
  const panel = useRef<HTMLDivElement>(null);
  const isFull = useMedia(FULL_SCREEN);
  useVisibleHeight(panel);
  const { conversation } = known;
  const agent = conversation?.agent;
  const hasTalked = Boolean(agent) || known.messages.length > 0;
  const title = agent?.name ?? ownUnlessDefault(language, "title", config.title);

  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation(); // The website's own shortcuts are not meant.
    if (event.key === "Escape" && !event.isComposing) chat.close();
    if (event.key === "Tab" && isFull && panel.current) keepInside(event, panel.current);
  };

  return (
    <div
      ref={panel}
      class="panel"
      role="dialog"
      aria-label={title}
      aria-modal={isFull}
      onKeyDown={onKeyDown}
      onKeyUp={(event) => event.stopPropagation()}
      onKeyPress={(event) => event.stopPropagation()}
    >
      <header>
        {agent && <Avatar key={agent.id} name={agent.name} url={agent.avatar_url ?? null} />}
        <div class="who">
          <h2>{title}</h2>
          <Standing />
        </div>
        {conversation?.status === "active" && <Menu />}
        <button type="button" class="quiet" aria-label={language.say("close")} onClick={() => chat.close()}>
          <CloseIcon />
        </button>
      </header>
      <Notice />
      {!conversation && <Start />}
      {conversation && !isFinal(conversation) && !hasTalked && <Waiting conversation={conversation} />}
      {conversation && hasTalked && <Talk conversation={conversation} />}
      {conversation && isFinal(conversation) && <Farewell conversation={conversation} />}
    </div>
  );
}

/** The line below the name. */
function Standing() {
  const { chat, language } = useSetting();
  const { known } = useStore(chat.state);
  const { conversation } = known;
  if (!conversation?.agent) return null;
  if (conversation.status === "active") {
    return (
      <p class="standing">
        <span class="online" aria-hidden="true" />
        {language.say("online")}
      </p>
    );
  }
  return isFinal(conversation) ? null : <p class="standing">{language.say("transferring")}</p>;
}

function useMedia(query: string): boolean {
  const media = useRef(matchMedia(query)).current;
  const [matches, setMatches] = useState(media.matches);
  useEffect(() => {
    const follow = () => setMatches(media.matches);
    media.addEventListener("change", follow);
    return () => media.removeEventListener("change", follow);
  }, [media]);
  return matches;
}

/** A telephone's keyboard covers the page without making it smaller; the panel keeps to what is left. */
function useVisibleHeight(panel: { current: HTMLElement | null }): void {
  useEffect(() => {
    const view = window.visualViewport;
    if (!view) return;
    const follow = () => {
      panel.current?.style.setProperty("--_height", `${view.height}px`);
      panel.current?.style.setProperty("--_top", `${view.offsetTop}px`);
    };
    follow();
    view.addEventListener("resize", follow);
    view.addEventListener("scroll", follow);
    return () => {
      view.removeEventListener("resize", follow);
      view.removeEventListener("scroll", follow);
    };
  }, [panel]);
}

function keepInside(event: KeyboardEvent, panel: HTMLElement): void {
  const within = [...panel.querySelectorAll<HTMLElement>("button, a[href], input, textarea, summary")];
  const reachable = within.filter(
    (element) => !element.matches(":disabled") && element.offsetParent !== null,
  );
  const active = (panel.getRootNode() as ShadowRoot).activeElement;
  const edge = event.shiftKey ? reachable[0] : reachable.at(-1);
  if (active !== edge) return;
  event.preventDefault();
  (event.shiftKey ? reachable.at(-1) : reachable[0])?.focus();
}
