// The transcript by email.

import { useState } from "preact/hooks";
import { useStore } from "../store.ts";
import { useSetting } from "./context.ts";

export function Mail() {
  const { chat, language } = useSetting();
  const { known, transcript } = useStore(chat.state);
  const [to, setTo] = useState(known.conversation?.visitor.email ?? "");
  const [isWrong, setWrong] = useState(false);
  if (transcript.is === "sent") {
    return <p role="status">{language.say("mail_sent", { email: transcript.to })}</p>;
  }
  const submit = (event: Event) => {
    event.preventDefault();
    const isAddress = /^\S+@\S+\.\S+$/.test(to.trim());
    setWrong(!isAddress);
    if (isAddress && transcript.is !== "sending") void chat.mail(to.trim());
  };
  return (
    <form class="mail" noValidate onSubmit={submit}>
      <label for="mail-to">{language.say("mail")}</label>
      <div class="row">
        <input
          id="mail-to"
          type="email"
          autoComplete="email"
          aria-invalid={isWrong}
          {...(isWrong && { "aria-describedby": "mail-wrong" })}
          value={to}
          onInput={(event) => setTo(event.currentTarget.value)}
        />
        <button type="submit" class="secondary" aria-disabled={transcript.is === "sending"}>
          {language.say("send")}
        </button>
      </div>
      {isWrong && (
        <p class="wrong" id="mail-wrong">
          {language.say("bad_email")}
        </p>
      )}
    </form>
  );
}
