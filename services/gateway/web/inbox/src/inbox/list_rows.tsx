// The rows of the lists.

import type { Conversation } from "@rondo/client";
import { IconBellRinging } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Face } from "../app/face.tsx";
import { useNow } from "../app/now.ts";
import type { Chat, Ring } from "../desk/desk.ts";
import { dateTimeText, spanText, timeText } from "../words/times.ts";
import { useWords } from "../words/use_words.ts";
import { nameOf, pageText } from "../words/visitor.ts";
import classes from "./lists.module.css";
import { lazyRoute } from "./page.tsx";

const TYPING_MS = 6_000;

interface RowProps {
  conversation: Conversation;
  /** The second line. */
  line: ReactNode;
  /** At the end of the first line. */
  end: ReactNode;
  isUnread?: boolean;
  /** What else is known, for those who do not see it. */
  spoken?: string;
  children?: ReactNode;
}

function Row({ conversation, line, end, isUnread = false, spoken, children }: RowProps) {
  const { t } = useTranslation("inbox");
  const { conversation: open } = lazyRoute.useSearch();
  const name = nameOf(conversation.visitor) ?? t("visitor.unnamed");
  const isOpen = open === conversation.id;
  return (
    // biome-ignore lint/a11y/useSemanticElements: see `Rows`.
    <div
      role="listitem"
      className={classes.row}
      data-open={isOpen || undefined}
      data-unread={isUnread || undefined}
    >
      <Link
        to="/"
        search={(before) => ({ ...before, conversation: conversation.id })}
        className={classes.link}
        activeProps={{ "aria-current": undefined }}
        {...(isOpen && { "aria-current": "true" as const })}
      >
        <Face name={name} />
        <span className={classes.text}>
          <span className={classes.first}>
            <span className={classes.name}>
              <bdi>{name}</bdi>
              {conversation.visitor.company ? (
                <span className={classes.company}>
                  {" · "}
                  <bdi>{conversation.visitor.company}</bdi>
                </span>
              ) : null}
            </span>
            <span className={classes.end}>{end}</span>
          </span>
          <span className={classes.line}>{line}</span>
          {spoken ? <span className="visually-hidden">{spoken}</span> : null}
        </span>
      </Link>
      {children}
    </div>
  );
}

/** A chat that rings; it is answered in the banner. */
export function RingRow({ ring }: { ring: Ring }) {
  const { t } = useTranslation("inbox");
  const { page } = ring.conversation;
  return (
    <Row
      conversation={ring.conversation}
      line={page ? pageText(page.url) : t("lists.rings")}
      end={<IconBellRinging size={16} className={classes.ringing} aria-label={t("lists.rings")} />}
    />
  );
}

/** An active chat: what was last said, and how long the visitor waits. */
export function ChatRow({ chat }: { chat: Chat }) {
  const { t } = useTranslation("inbox");
  const { language, zone } = useWords();
  const now = useNow(chat.typedAtMs || chat.waitingSince ? 1_000 : 30_000);
  const { conversation, last, unread, waitingSince, typedAtMs } = chat;
  const isTyping = typedAtMs !== null && now - typedAtMs < TYPING_MS;
  const said = last
    ? last.author.type === "agent"
      ? t("lists.you_said", { text: last.text })
      : last.text
    : "";
  const isHandedOver = conversation.offer !== null;
  const line = isTyping ? t("conversation.typing") : isHandedOver ? t("lists.handing_over") : said;
  return (
    <Row
      conversation={conversation}
      isUnread={unread > 0}
      line={
        <span className={isTyping ? classes.typing : undefined} dir="auto">
          {line || " "}
        </span>
      }
      end={
        <>
          {waitingSince ? (
            <span className={classes.waiting} title={t("lists.waits")}>
              {spanText(now - Date.parse(waitingSince), language)}
            </span>
          ) : last ? (
            timeText(last.sent_at, language, zone)
          ) : null}
          {unread > 0 ? <span className={classes.unread}>{unread}</span> : null}
        </>
      }
      {...(unread > 0 && { spoken: t("lists.unread", { count: unread }) })}
    />
  );
}

/** Any conversation: how it stands, and since when. */
export function ConversationRow({
  conversation,
  children,
}: {
  conversation: Conversation;
  children?: ReactNode;
}) {
  const { t } = useTranslation("inbox");
  const { language, zone } = useWords();
  const now = useNow(30_000);
  const { status, queue, agent, requested_at: at } = conversation;
  const line =
    status === "queued" && queue
      ? t("lists.position", { count: queue.position, waited: spanText(now - Date.parse(at), language) })
      : [t(`status.${status}`), agent?.name].filter(Boolean).join(" · ");
  return (
    <Row conversation={conversation} line={line} end={dateTimeText(at, language, zone)}>
      {children}
    </Row>
  );
}
