// The lines of a conversation on the screen.

import { Button, UnstyledButton } from "@mantine/core";
import { type Message, type OutgoingMessage, pieces } from "@rondo/client";
import { memo, useState } from "react";
import { useTranslation } from "react-i18next";
import { problemText } from "../app/problem.ts";
import { dayText, nearness, timeText } from "../words/times.ts";
import { useWords } from "../words/use_words.ts";
import { nameOf, type Visitor } from "../words/visitor.ts";
import type { Happening } from "./lines.ts";
import classes from "./messages.module.css";

/** A text longer than this, or of more lines, is folded. */
const FOLDED_CHARACTERS = 700;
const FOLDED_LINES = 12;

/** A day begins. */
export function DayLine({ atMs }: { atMs: number }) {
  const { t } = useTranslation("inbox");
  const { language, zone } = useWords();
  const now = Date.now();
  const near = nearness(atMs, now, zone);
  const text =
    near === "today" || near === "yesterday" ? t(`days.${near}`) : dayText(atMs, now, language, zone);
  return (
    <div className={classes.day}>
      <span>{text}</span>
    </div>
  );
}

/** Something happened. */
export function HappeningLine({ happening }: { happening: Happening }) {
  const { t } = useTranslation("inbox");
  const { language, zone } = useWords();
  const { what, name, from, reason, at } = happening;
  const text =
    what === "ended"
      ? t(`ended.${(reason ?? "agent_ended") as "agent_ended"}`)
      : t(`happened.${what}`, { name: name ?? "", from: from ?? "" });
  return (
    <div className={classes.happening}>
      {text} · <time dateTime={at}>{timeText(at, language, zone)}</time>
    </div>
  );
}

interface MessageLineProps {
  message: Message;
  isFirst: boolean;
  isLast: boolean;
  visitor: Visitor;
  /** Whether this is the last message that the visitor has read. */
  isReadMark: boolean;
}

/** A message. */
export const MessageLine = memo(function MessageLine({
  message,
  isFirst,
  isLast,
  visitor,
  isReadMark,
}: MessageLineProps) {
  const { t } = useTranslation("inbox");
  const { language, zone } = useWords();
  const { author, text, sent_at: at } = message;
  if (author.type === "system") {
    return (
      <div className={classes.happening}>
        <bdi>{text}</bdi> · <time dateTime={at}>{timeText(at, language, zone)}</time>
      </div>
    );
  }
  const isOurs = author.type === "agent";
  const name = isOurs ? author.name : (nameOf(visitor) ?? t("visitor.unnamed"));
  return (
    <div
      className={classes.message}
      data-ours={isOurs || undefined}
      data-first={isFirst || undefined}
      data-last={isLast || undefined}
    >
      {isFirst ? (
        <div className={classes.author}>
          <bdi>{name}</bdi>
        </div>
      ) : null}
      <div className={classes.bubble}>
        <Text text={text} />
      </div>
      {isLast || isReadMark ? (
        <div className={classes.meta}>
          <time dateTime={at}>{timeText(at, language, zone)}</time>
          {isReadMark ? ` · ${t("conversation.read")}` : null}
        </div>
      ) : null}
    </div>
  );
});

interface OutgoingLineProps {
  outgoing: OutgoingMessage;
  isFirst: boolean;
  onRetry: () => void;
  onDrop: () => void;
}

/** A message that is on its way, or did not arrive. */
export function OutgoingLine({ outgoing, isFirst, onRetry, onDrop }: OutgoingLineProps) {
  const { t } = useTranslation("inbox");
  const { t: tApp } = useTranslation("app");
  const { state, text, error } = outgoing;
  const isStuck = state === "failed";
  return (
    <div className={classes.message} data-ours data-first={isFirst || undefined} data-state={state}>
      <div className={classes.bubble}>
        <Text text={text} />
      </div>
      <div className={classes.meta} role={isStuck ? "alert" : undefined}>
        {t(`sending.${state}`)}
        {isStuck && error ? ` ${problemText(tApp, error)}` : null}
        {isStuck || state === "retrying" ? (
          <Button size="compact-xs" variant="subtle" onClick={onRetry}>
            {t("sending.retry")}
          </Button>
        ) : null}
        {isStuck ? (
          <Button size="compact-xs" variant="subtle" color="gray" onClick={onDrop}>
            {t("sending.drop")}
          </Button>
        ) : null}
      </div>
    </div>
  );
}

/** A text as it was given: never markup. Long ones are folded; only addresses that lead somewhere are links. */
function Text({ text }: { text: string }) {
  const { t } = useTranslation("inbox");
  const [isUnfolded, setUnfolded] = useState(false);
  const isLong =
    text.length > FOLDED_CHARACTERS || text.split("\n", FOLDED_LINES + 1).length > FOLDED_LINES;
  return (
    <>
      <div
        className={classes.text}
        dir="auto"
        data-message
        data-folded={(isLong && !isUnfolded) || undefined}
      >
        {pieces(text).map((piece, at) =>
          piece.href ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text never change.
            <a key={at} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
              {piece.text}
            </a>
          ) : (
            piece.text
          ),
        )}
      </div>
      {isLong ? (
        <UnstyledButton
          className={classes.fold}
          aria-expanded={isUnfolded}
          onClick={() => setUnfolded(!isUnfolded)}
        >
          {t(isUnfolded ? "conversation.fold" : "conversation.unfold")}
        </UnstyledButton>
      ) : null}
    </>
  );
}
