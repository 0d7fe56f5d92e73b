// How good it was: a score at one press, and a word about it from those who have one.

import type { Conversation } from "@rondo/client";
import { useState } from "preact/hooks";
import { useStore } from "../store.ts";
import { useSetting } from "./context.ts";
import { StarIcon } from "./icons.tsx";

/** As long as the API takes. */
const COMMENT_LENGTH_MAX = 1_000;

export function Rating({ conversation: { rating } }: { conversation: Conversation }) {
  const { chat, language } = useSetting();
  const { config } = useStore(chat.state);
  const [pressed, setPressed] = useState(0);
  const [comment, setComment] = useState(rating?.comment ?? "");
  const [isTaken, setTaken] = useState(false);
  if (!config.ratings) return null;
  const score = pressed || (rating?.score ?? 0);
  const rate = async (score: number) => {
    setPressed(score);
    setTaken(false);
    setTaken(await chat.rate(score, comment.trim()));
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void rate(score);
  };
  return (
    <fieldset class="rating">
      <legend>{language.say("rate")}</legend>
      {[1, 2, 3, 4, 5].map((star) => (
        <button
          key={star}
          type="button"
          class={star <= score ? "star is-lit" : "star"}
          aria-label={language.say("stars", { n: star })}
          aria-pressed={star === score}
          onClick={() => void rate(star)}
        >
          <StarIcon />
        </button>
      ))}
      {score > 0 && (
        <form class="mail" onSubmit={submit}>
          <label for="comment">{language.say("comment")}</label>
          <div class="row">
            <textarea
              id="comment"
              maxLength={COMMENT_LENGTH_MAX}
              value={comment}
              onInput={(event) => setComment(event.currentTarget.value)}
            />
            <button type="submit" class="secondary">
              {language.say("send")}
            </button>
          </div>
        </form>
      )}
      <p role="status">{isTaken && language.say("rated")}</p>
    </fieldset>
  );
}
