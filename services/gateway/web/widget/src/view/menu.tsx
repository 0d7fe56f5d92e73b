// What else can be done while talking: end the chat, or have it sent by email.

import { useEffect, useRef, useState } from "preact/hooks";
import { useSetting } from "./context.ts";
import { MoreIcon } from "./icons.tsx";
import { Mail } from "./mail.tsx";

export function Menu() {
  const { chat, language } = useSetting();
  const [isOpen, setOpen] = useState(false);
  const [isSure, setSure] = useState(false);
  const menu = useRef<HTMLFieldSetElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (isOpen) menu.current?.querySelector<HTMLElement>("button, input")?.focus();
  }, [isOpen, isSure]);

  const close = () => {
    setOpen(false);
    setSure(false);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  };
  return (
    <div>
      <button
        ref={button}
        type="button"
        class="quiet"
        aria-expanded={isOpen}
        aria-label={language.say("more")}
        onClick={() => (isOpen ? close() : setOpen(true))}
      >
        <MoreIcon />
      </button>
      {isOpen && (
        <fieldset ref={menu} class="menu" aria-label={language.say("more")} onKeyDown={onKeyDown}>
          {isSure ? (
            <>
              <p>{language.say("end_sure")}</p>
              <button
                type="button"
                class="primary"
                onClick={() => {
                  close();
                  void chat.end();
                }}
              >
                {language.say("end_yes")}
              </button>
              <button type="button" class="secondary" onClick={close}>
                {language.say("end_no")}
              </button>
            </>
          ) : (
            <>
              <button type="button" class="secondary" onClick={() => setSure(true)}>
                {language.say("end")}
              </button>
              <Mail />
            </>
          )}
        </fieldset>
      )}
    </div>
  );
}
