// The conversation in the middle: who it is with, what was said, and the place to answer.

import { ActionIcon, Button, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import type { Conversation } from "@rondo/client";
import {
  IconArrowLeft,
  IconArrowsExchange,
  IconDotsVertical,
  IconFileText,
  IconJson,
  IconUser,
} from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSession } from "../app/needs.ts";
import { useNow } from "../app/now.ts";
import { problemText } from "../app/problem.ts";
import { Loading, Problem } from "../app/states.tsx";
import { useDesk, useShown } from "../desk/use_desk.ts";
import { spanText, timeText } from "../words/times.ts";
import { useWords } from "../words/use_words.ts";
import { nameOf } from "../words/visitor.ts";
import { Composer } from "./composer.tsx";
import classes from "./conversation.module.css";
import { Messages } from "./messages.tsx";

const TransferDialog = lazy(() => import("./transfer.tsx"));
const TYPING_MS = 6_000;

interface ConversationPaneProps {
  conversationId: string;
  /** Shows the visitor, or puts them away. */
  onVisitor: () => void;
}

/** The pane in the middle. */
export function ConversationPane({ conversationId, onVisitor }: ConversationPaneProps) {
  const { t } = useTranslation("inbox");
  const desk = useDesk();
  const thread = useShown(({ threads }) => threads.get(conversationId));
  const ring = useShown(({ desk }) => desk.rings.find((each) => each.conversation.id === conversationId));
  const conversation = thread?.known.conversation ?? ring?.conversation ?? null;
  if (thread?.state === "failed") {
    return (
      <section className={`conversation-pane ${classes.pane}`} aria-label={t("conversation.label")}>
        <BackButton />
        <Problem error={thread.error} onRetry={() => desk.openThread(conversationId)} />
      </section>
    );
  }
  return (
    <section className={`conversation-pane ${classes.pane}`} aria-label={t("conversation.label")}>
      {conversation ? <Header conversation={conversation} onVisitor={onVisitor} /> : null}
      {thread?.state === "ready" && conversation ? (
        <Messages conversation={conversation} thread={thread} />
      ) : (
        <Loading />
      )}
      {conversation && thread?.state === "ready" ? <Foot conversation={conversation} /> : null}
    </section>
  );
}

function BackButton() {
  const { t } = useTranslation("inbox");
  const navigate = useNavigate();
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size={40}
      className={classes.back ?? ""}
      aria-label={t("conversation.back")}
      onClick={() =>
        void navigate({ to: "/", search: ({ conversation: _, ...rest }: Record<string, unknown>) => rest })
      }
    >
      <IconArrowLeft size={20} className="turns" aria-hidden />
    </ActionIcon>
  );
}

function Header({ conversation, onVisitor }: { conversation: Conversation; onVisitor: () => void }) {
  const { t } = useTranslation("inbox");
  const { agent: me } = useSession();
  const [isTransferring, setTransferring] = useState(false);
  const isMine = conversation.status === "active" && conversation.agent?.id === me.id;
  const isHandedOver = isMine && conversation.offer !== null;
  return (
    <header className={classes.header}>
      <BackButton />
      <div className={classes.title}>
        <h2>
          <bdi>{nameOf(conversation.visitor) ?? t("visitor.unnamed")}</bdi>
        </h2>
        <StateLine conversation={conversation} isHandedOver={isHandedOver} />
      </div>
      {isMine ? (
        <>
          <Button
            variant="default"
            size="sm"
            leftSection={<IconArrowsExchange size={16} aria-hidden />}
            className={classes.wide ?? ""}
            disabled={isHandedOver}
            onClick={() => setTransferring(true)}
          >
            {t("conversation.transfer")}
          </Button>
          <EndButton conversation={conversation} />
        </>
      ) : null}
      <MoreMenu
        conversation={conversation}
        {...(isMine && !isHandedOver && { onTransfer: () => setTransferring(true) })}
      />
      <ActionIcon
        variant="subtle"
        color="gray"
        size={38}
        aria-label={t("visitor.toggle")}
        onClick={onVisitor}
      >
        <IconUser size={20} aria-hidden />
      </ActionIcon>
      {isTransferring ? (
        <Suspense>
          <TransferDialog conversationId={conversation.id} onClose={() => setTransferring(false)} />
        </Suspense>
      ) : null}
    </header>
  );
}

/** How it stands: who types, who has it, when it ends by itself. */
function StateLine({ conversation, isHandedOver }: { conversation: Conversation; isHandedOver: boolean }) {
  const { t } = useTranslation("inbox");
  const { id, status, agent } = conversation;
  const known = useShown(({ threads }) => threads.get(id)?.known);
  const idleEndsAt = useShown(
    ({ desk }) => desk.chats.find((each) => each.conversation.id === id)?.idleEndsAt,
  );
  const now = useNow(1_000);
  const { language, zone } = useWords();
  const isTyping = now - (known?.typedAtMs.visitor ?? 0) < TYPING_MS;
  const text = isTyping
    ? t("conversation.typing")
    : isHandedOver
      ? t("conversation.handing_over")
      : idleEndsAt
        ? t("conversation.idle", { time: timeText(idleEndsAt, language, zone) })
        : [t(`status.${status}`), agent?.name].filter(Boolean).join(" · ");
  return (
    <p className={classes.state} data-typing={isTyping || undefined} aria-live="polite">
      {text}
      {status === "queued" && !isTyping
        ? ` · ${spanText(now - Date.parse(conversation.requested_at), language)}`
        : null}
    </p>
  );
}

/** Ending is asked about once more, in the button's own place. */
function EndButton({ conversation }: { conversation: Conversation }) {
  const { t } = useTranslation("inbox");
  const { t: tApp } = useTranslation("app");
  const desk = useDesk();
  const [isBusy, setBusy] = useState(false);
  const end = () => {
    setBusy(true);
    desk
      .end(conversation.id)
      .catch((error) => notifications.show({ color: "red", message: problemText(tApp, error) }))
      .finally(() => setBusy(false));
  };
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button variant="default" size="sm" loading={isBusy}>
          {t("conversation.end")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("conversation.end_question")}</Menu.Label>
        <Menu.Item color="red" onClick={end}>
          {t("conversation.end_now")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function MoreMenu({ conversation, onTransfer }: { conversation: Conversation; onTransfer?: () => void }) {
  const { t } = useTranslation("inbox");
  const { zone } = useWords();
  const address = `/v1/conversations/${encodeURIComponent(conversation.id)}/transcript?download=1&time_zone=${encodeURIComponent(zone)}`;
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={38} aria-label={t("conversation.more")}>
          <IconDotsVertical size={20} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {onTransfer ? (
          <Menu.Item leftSection={<IconArrowsExchange size={16} aria-hidden />} onClick={onTransfer}>
            {t("conversation.transfer")}
          </Menu.Item>
        ) : null}
        <Menu.Item
          leftSection={<IconFileText size={16} aria-hidden />}
          onClick={() => void download(address, "text/plain", `${conversation.id}.txt`)}
        >
          {t("conversation.transcript_text")}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconJson size={16} aria-hidden />}
          onClick={() => void download(address, "application/json", `${conversation.id}.json`)}
        >
          {t("conversation.transcript_json")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );

  async function download(from: string, type: string, name: string): Promise<void> {
    const response = await fetch(from, { headers: { Accept: type } }).catch(() => null);
    if (!response?.ok) {
      notifications.show({ color: "red", message: t("conversation.no_transcript") });
      return;
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = `transcript-${name}`;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

/** Where to write; or why there is nothing to be written. */
function Foot({ conversation }: { conversation: Conversation }) {
  const { t } = useTranslation("inbox");
  const { agent: me } = useSession();
  const { status, agent, ended } = conversation;
  if (status === "active" && agent?.id === me.id) return <Composer conversation={conversation} />;
  if (status === "active")
    return <p className={classes.foot}>{t("conversation.of", { name: agent?.name ?? "" })}</p>;
  if (status === "offered") return <p className={classes.foot}>{t("conversation.rings")}</p>;
  if (ended) return <p className={classes.foot}>{t(`ended.${ended.reason}`)}</p>;
  return <p className={classes.foot}>{t(`status.${status}`)}</p>;
}
