// What was said: only the lines in view are there, however many there are.

import { Button, Loader } from "@mantine/core";
import { answered, type Conversation, type OutgoingMessage } from "@rondo/client";
import { IconArrowDown } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { VList, type VListHandle } from "virtua";
import { useApi, useSession } from "../app/needs.ts";
import { outgoingOf } from "../desk/live_desk.ts";
import type { Thread } from "../desk/threads.ts";
import { useDesk, useShown } from "../desk/use_desk.ts";
import { useWords } from "../words/use_words.ts";
import { happeningsOf, type Line, linesOf } from "./lines.ts";
import { DayLine, HappeningLine, MessageLine, OutgoingLine } from "./message_lines.tsx";
import classes from "./messages.module.css";

/** So near to the end, the list stays there when something is said. */
const NEAR_PX = 120;
/** So near to the beginning, earlier messages are loaded. */
const EARLY_PX = 600;

interface MessagesProps {
  conversation: Conversation;
  thread: Thread;
}

/** The list. It stays at the end while its reader is there, and where it is while they read further up. */
export function Messages({ conversation, thread }: MessagesProps) {
  const { t } = useTranslation("inbox");
  const { zone } = useWords();
  const desk = useDesk();
  const outgoing = useShown((shown) => outgoingOf(shown, conversation.id));
  const attempts = useAttempts(conversation);
  const { known, hasEarlier, isLoadingEarlier } = thread;
  const lines = useMemo(() => {
    const happenings = happeningsOf(conversation, attempts);
    const first = known.messages[0];
    // What happened before the first message that is loaded belongs to those that are not.
    const shown = hasEarlier && first ? happenings.filter(({ at }) => at >= first.sent_at) : happenings;
    return linesOf(known.messages, shown, outgoing, zone);
  }, [known.messages, conversation, attempts, outgoing, zone, hasEarlier]);
  const { list, isAtEnd, isPrepending, onScroll, toEnd } = useScrolling(
    lines,
    () => desk.loadEarlier(conversation.id),
    hasEarlier,
  );
  useReading(conversation, thread, isAtEnd);
  return (
    <div className={classes.messages}>
      {isLoadingEarlier ? (
        <div className={classes.loading} role="status" aria-label={t("conversation.loading_earlier")}>
          <Loader size="xs" />
        </div>
      ) : null}
      <VList
        ref={list}
        className={classes.list}
        // At the end the list goes to the end by itself; and one that cannot scroll would wait, empty, for
        // the scrolling that a shift leads to.
        shift={isPrepending && !isAtEnd}
        onScroll={onScroll}
        role="log"
        aria-label={t("conversation.messages")}
        tabIndex={0}
      >
        {lines.map((line) => (
          <LineOf
            key={line.key}
            line={line}
            conversation={conversation}
            readTo={known.read.visitor ?? null}
          />
        ))}
      </VList>
      {isAtEnd ? null : (
        <Button
          className={classes.down ?? ""}
          size="xs"
          variant="default"
          leftSection={<IconArrowDown size={14} aria-hidden />}
          onClick={toEnd}
        >
          {t("conversation.to_end")}
        </Button>
      )}
    </div>
  );
}

function LineOf({
  line,
  conversation,
  readTo,
}: {
  line: Line;
  conversation: Conversation;
  readTo: string | null;
}) {
  switch (line.is) {
    case "day":
      return <DayLine atMs={line.atMs} />;
    case "happening":
      return <HappeningLine happening={line.happening} />;
    case "message":
      return (
        <MessageLine
          message={line.message}
          isFirst={line.isFirst}
          isLast={line.isLast}
          visitor={conversation.visitor}
          isReadMark={line.message.id === readTo && line.message.author.type === "agent"}
        />
      );
    case "outgoing":
      return (
        <OutgoingLineOf outgoing={line.outgoing} isFirst={line.isFirst} conversationId={conversation.id} />
      );
  }
}

function OutgoingLineOf({
  outgoing,
  isFirst,
  conversationId,
}: {
  outgoing: OutgoingMessage;
  isFirst: boolean;
  conversationId: string;
}) {
  const desk = useDesk();
  return (
    <OutgoingLine
      outgoing={outgoing}
      isFirst={isFirst}
      onRetry={() => desk.retry(conversationId, outgoing.client_message_id)}
      onDrop={() => desk.drop(conversationId, outgoing.client_message_id)}
    />
  );
}

/** Who was asked, and with what outcome. Asked again when it is another one's. */
function useAttempts(conversation: Conversation) {
  const api = useApi();
  const path = { conversation_id: conversation.id };
  const assignments = useQuery({
    queryKey: ["assignments", conversation.id, conversation.status, conversation.agent?.id],
    queryFn: () =>
      answered(api.GET("/v1/conversations/{conversation_id}/assignments", { params: { path } })),
    staleTime: 60_000,
    placeholderData: (before) => (before?.data[0] ? before : undefined),
  });
  const attempts = assignments.data?.data;
  return useMemo(() => attempts ?? [], [attempts]);
}

function useScrolling(lines: readonly Line[], loadEarlier: () => void, hasEarlier: boolean) {
  const list = useRef<VListHandle>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const stays = useRef(true);
  const isPrepending = usePrepending(lines);
  const count = lines.length;
  const lastKey = lines.at(-1)?.key;
  const toEnd = useCallback(() => {
    stays.current = true;
    setAtEnd(true);
    list.current?.scrollToIndex(count - 1, { align: "end" });
  }, [count]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new last line is what it is about.
  useLayoutEffect(() => {
    if (stays.current) list.current?.scrollToIndex(count - 1, { align: "end" });
  }, [lastKey, count]);
  const onScroll = (offset: number) => {
    const { current } = list;
    if (!current) return;
    const isNear = current.scrollSize - offset - current.viewportSize < NEAR_PX;
    stays.current = isNear;
    setAtEnd(isNear);
    if (offset < EARLY_PX && hasEarlier) loadEarlier();
  };
  // A short list has nothing to scroll: what came before is loaded at once.
  useEffect(() => {
    const { current } = list;
    if (current && hasEarlier && current.scrollSize <= current.viewportSize) loadEarlier();
  });
  return { list, isAtEnd, isPrepending, onScroll, toEnd };
}

/** Whether lines came before the first one since the last time: then those in view stay where they are. */
function usePrepending(lines: readonly Line[]): boolean {
  const before = useRef<{ lastKey: string | undefined; count: number }>({ lastKey: undefined, count: 0 });
  const lastKey = lines.at(-1)?.key;
  const isPrepending = lastKey === before.current.lastKey && lines.length > before.current.count;
  useEffect(() => {
    before.current = { lastKey, count: lines.length };
  });
  return isPrepending;
}

/** What is in view of who looks at it has been read. */
function useReading(conversation: Conversation, { known }: Thread, isAtEnd: boolean): void {
  const desk = useDesk();
  const { agent: me } = useSession();
  const isMine = conversation.status === "active" && conversation.agent?.id === me.id;
  const last = known.messages.findLast(({ author }) => author.type === "visitor")?.id;
  useEffect(() => {
    if (!isMine || !isAtEnd || !last) return;
    const look = () => {
      if (document.visibilityState === "visible" && document.hasFocus()) desk.read(conversation.id, last);
    };
    look();
    const watching = new AbortController();
    const { signal } = watching;
    window.addEventListener("focus", look, { signal });
    document.addEventListener("visibilitychange", look, { signal });
    return () => watching.abort();
  }, [desk, conversation.id, isMine, isAtEnd, last]);
}
