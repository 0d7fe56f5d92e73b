// The field to write in.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useSetting } from "./context.ts";
import { SendIcon } from "./icons.tsx";

const MESSAGE_LENGTH_MAX = 4_000;

export function Composer() {
  const { chat, language } = useSetting();
  const [text, setText] = useState(() => chat.draft("draft"));
  const field = useRef<HTMLTextAreaElement>(null);
  // As the API counts: characters, not the halves that some are stored as.
  const excess = [...text].length - MESSAGE_LENGTH_MAX;

  useEffect(() => field.current?.focus({ preventScroll: true }), []);
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.setProperty("height", "auto");
    element.style.setProperty("height", `${element.scrollHeight}px`);
  }, [text]);

  const write = (next: string) => {
    setText(next);
    chat.draft("draft", next);
  };
  const send = () => {
    if (!text.trim() || excess > 0) return;
    chat.say(text);
    write("");
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {excess > 0 && (
        <p class="wrong" role="status">
          {language.say("too_long", { n: excess })}
        </p>
      )}
      <textarea
        ref={field}
        rows={1}
        dir="auto"
        aria-label={language.say("compose")}
        placeholder={language.say("compose")}
        value={text}
        onInput={(event) => {
          write(event.currentTarget.value);
          if (event.currentTarget.value) chat.typing();
        }}
        onKeyDown={onKeyDown}
      />
      <button
        type="submit"
        class="send"
        aria-label={language.say("send")}
        aria-disabled={!text.trim() || excess > 0}
      >
        <SendIcon />
      </button>
    </form>
  );
}
