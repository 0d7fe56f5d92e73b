// What went wrong, in words, and that the connection is away.

import type { RondoError } from "@rondo/client";
import { useEffect, useState } from "preact/hooks";
import { useStore } from "../store.ts";
import type { Language, Word } from "../texts.ts";
import { useSetting } from "./context.ts";

/** A connection that comes back at once is not worth a word. */
const RECONNECTING_SHOWN_AFTER_MS = 1_500;

export function Notice() {
  const { chat, language } = useSetting();
  const { error, connection } = useStore(chat.state);
  const isAway = useLasting(connection === "waiting" || connection === "connecting");
  if (error) {
    return (
      <div class="notice is-error" role="alert">
        <p>{wordsFor(error, language)}</p>
        <Again error={error} />
      </div>
    );
  }
  const words =
    connection === "offline" ? language.say("offline") : isAway ? language.say("reconnecting") : "";
  return (
    <div class={words ? "notice" : "unseen"} role="status">
      {words && <p>{words}</p>}
    </div>
  );
}

function Again({ error }: { error: RondoError }) {
  const { chat, language } = useSetting();
  const [isReady, setReady] = useState(!error.retryAfterMs);
  useEffect(() => {
    setReady(!error.retryAfterMs);
    const timer = setTimeout(() => setReady(true), error.retryAfterMs ?? 0);
    return () => clearTimeout(timer);
  }, [error]);
  if (!error.isTransient && error.status !== 401) return null;
  return (
    <button type="button" class="link" disabled={!isReady} onClick={() => void chat.again()}>
      {language.say("retry")}
    </button>
  );
}

const WORDS: Record<number, Word> = {
  0: "error_network",
  401: "error_session",
  403: "error_origin",
  404: "error_gone",
  409: "error_mail",
  422: "error_input",
  429: "error_many",
  503: "error_busy",
};

function wordsFor({ status, retryAfterMs }: RondoError, language: Language): string {
  return language.say(WORDS[status] ?? "error_other", { n: Math.ceil((retryAfterMs ?? 10_000) / 1_000) });
}

/** Whether `is` has been so for a while. */
function useLasting(is: boolean): boolean {
  const [hasLasted, setLasted] = useState(false);
  useEffect(() => {
    if (!is) {
      setLasted(false);
      return;
    }
    const timer = setTimeout(() => setLasted(true), RECONNECTING_SHOWN_AFTER_MS);
    return () => clearTimeout(timer);
  }, [is]);
  return hasLasted;
}
