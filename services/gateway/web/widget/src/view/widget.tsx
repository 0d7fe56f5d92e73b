// The launcher, and the panel when it is open.

import { useEffect, useRef } from "preact/hooks";
import { useStore } from "../store.ts";
import { useSetting } from "./context.ts";
import { ChatIcon, DownIcon } from "./icons.tsx";
import { Panel } from "./panel.tsx";

export function Widget() {
  const { chat, language } = useSetting();
  const { isOpen, unread } = useStore(chat.state);
  const launcher = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(isOpen);
  useEffect(() => {
    if (wasOpen.current && !isOpen) launcher.current?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
  const name = language.say(isOpen ? "close" : "open");
  const news = unread ? language.count("unread", unread) : "";
  return (
    <div>
      {isOpen && <Panel />}
      <button
        ref={launcher}
        type="button"
        class={isOpen ? "launcher is-open" : "launcher"}
        aria-expanded={isOpen}
        aria-label={news ? `${name} (${news})` : name}
        onClick={() => (isOpen ? chat.close() : chat.open())}
      >
        {isOpen ? <DownIcon /> : <ChatIcon />}
        {unread > 0 && (
          <span class="badge" aria-hidden="true">
            {unread > 9 ? "9+" : unread}
          </span>
        )}
      </button>
      <div class="unseen" role="status">
        {!isOpen && news}
      </div>
    </div>
  );
}
