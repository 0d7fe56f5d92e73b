// Where the agent writes. Enter sends, Shift+Enter breaks the line, `/` brings a saved reply.

import { ActionIcon, Text } from "@mantine/core";
import { answered, browserKeep, type Conversation, type SavedReply } from "@rondo/client";
import { IconSend2 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi, useSession } from "../app/needs.ts";
import { useShortcuts } from "../app/shortcuts.ts";
import { useDesk } from "../desk/use_desk.ts";
import { nameOf } from "../words/visitor.ts";
import classes from "./composer.module.css";
import { Drafts } from "./drafts.ts";
import { askedFor, filledIn, repliesFor } from "./saved_replies.ts";

/** The API takes no longer ones. */
export const CHARACTERS_MAX = 4_000;
/** From here on it is said how many are left. */
const NEAR_THE_END = 3_500;
const REPLIES_FRESH_MS = 60_000;

/** The composer of one conversation, with what was written and not sent. */
export function Composer({ conversation }: { conversation: Conversation }) {
  const { t } = useTranslation("inbox");
  const desk = useDesk();
  const { text, write } = useDraft(conversation.id);
  const input = useRef<HTMLTextAreaElement>(null);
  const replies = useReplies(text);
  const listId = useId();
  useShortcuts({ c: () => input.current?.focus() });

  const length = [...text].length;
  const isTooLong = length > CHARACTERS_MAX;
  const canSend = text.trim() !== "" && !isTooLong;
  const send = () => {
    if (!canSend) return;
    desk.say(conversation.id, text);
    write("");
    input.current?.focus();
  };
  const insert = (reply: SavedReply) => {
    write(filledIn(reply.text, conversation.visitor));
    input.current?.focus();
  };
  const press = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (replies.take(event, insert)) return;
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    send();
  };
  return (
    <div className={classes.composer}>
      {replies.isOpen ? (
        <ReplyList id={listId} replies={replies.shown} at={replies.at} onChoose={insert} />
      ) : null}
      <div className={classes.line}>
        <textarea
          ref={input}
          className={classes.input}
          rows={1}
          dir="auto"
          value={text}
          aria-invalid={isTooLong}
          aria-label={t("composer.label", { name: nameOf(conversation.visitor) ?? t("visitor.unnamed") })}
          placeholder={t("composer.placeholder")}
          enterKeyHint="send"
          {...(replies.isOpen && {
            role: "combobox",
            "aria-expanded": true,
            "aria-controls": listId,
            "aria-activedescendant": `${listId}-${replies.at}`,
          })}
          onChange={(event) => {
            write(event.currentTarget.value);
            if (event.currentTarget.value.trim()) desk.type(conversation.id);
          }}
          onKeyDown={press}
        />
        <ActionIcon
          size={38}
          variant="filled"
          disabled={!canSend}
          aria-label={t("composer.send")}
          onClick={send}
        >
          <IconSend2 size={18} className="turns" aria-hidden />
        </ActionIcon>
      </div>
      {length > NEAR_THE_END ? (
        <Text size="xs" role="status" className={isTooLong ? "problem-text" : (classes.left ?? "")}>
          {t(isTooLong ? "composer.too_long" : "composer.left", {
            count: Math.abs(CHARACTERS_MAX - length),
          })}
        </Text>
      ) : null}
    </div>
  );
}

function useDraft(conversationId: string) {
  const { agent } = useSession();
  const [drafts] = useState(() => new Drafts(browserKeep("local"), agent.id));
  const [text, setText] = useState(() => drafts.of(conversationId));
  const write = (written: string) => {
    setText(written);
    drafts.set(conversationId, written);
  };
  return { text, write };
}

/** The saved replies that the text asks for, and the keys that choose among them. */
function useReplies(text: string) {
  const api = useApi();
  const asked = askedFor(text);
  const [at, setAt] = useState(0);
  const [refused, setRefused] = useState<string | null>(null);
  const found = useQuery({
    queryKey: ["saved_replies"],
    queryFn: () => answered(api.GET("/v1/saved_replies", { params: { query: { limit: 200 } } })),
    enabled: asked !== null,
    staleTime: REPLIES_FRESH_MS,
  });
  const shown = asked === null || refused === text ? [] : repliesFor(found.data?.data ?? [], asked);
  const isOpen = shown.length > 0;
  const chosen = Math.min(at, shown.length - 1);
  const take = (event: KeyboardEvent, insert: (reply: SavedReply) => void): boolean => {
    if (!isOpen) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const reply = shown[chosen];
    if (step) setAt((chosen + step + shown.length) % shown.length);
    else if (event.key === "Escape") setRefused(text);
    else if ((event.key === "Enter" || event.key === "Tab") && reply && !event.shiftKey) {
      setAt(0);
      insert(reply);
    } else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  return { shown, isOpen, at: chosen, take };
}

interface ReplyListProps {
  id: string;
  replies: readonly SavedReply[];
  at: number;
  onChoose: (reply: SavedReply) => void;
}

function ReplyList({ id, replies, at, onChoose }: ReplyListProps) {
  const { t } = useTranslation("inbox");
  return (
    <div id={id} role="listbox" aria-label={t("composer.replies")} className={classes.replies}>
      {replies.map((reply, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the text field, which keeps the focus.
        <div
          key={reply.id}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === at}
          className={classes.reply}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onChoose(reply)}
        >
          <span className={classes.shortcut} dir="ltr">
            /{reply.shortcut}
          </span>
          <span className={classes.replyTitle}>{reply.title}</span>
          <span className={classes.replyText} dir="auto">
            {reply.text}
          </span>
        </div>
      ))}
    </div>
  );
}
