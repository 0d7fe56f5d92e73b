// The lists: what rings, the agent's active chats, the queue, and everything.

import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { answered, type Conversation } from "@rondo/client";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useApi, useSession } from "../app/needs.ts";
import { problemText } from "../app/problem.ts";
import { Empty, Loading, Problem } from "../app/states.tsx";
import { inOrder } from "../desk/desk.ts";
import { useDesk, useShown } from "../desk/use_desk.ts";
import { may } from "../session/session.ts";
import { ChatRow, ConversationRow, RingRow } from "./list_rows.tsx";
import classes from "./lists.module.css";
import { lazyRoute } from "./page.tsx";
import type { InboxSearch, ListName } from "./routes.tsx";
import { Rows } from "./rows.tsx";

const QUEUE_EVERY_MS = 5_000;

const AllList = lazy(() => import("./all_list.tsx"));

/** The pane at the start. */
export function ListPane() {
  const { t } = useTranslation("inbox");
  const { list = "active" } = lazyRoute.useSearch();
  return (
    <section className={`list-pane ${classes.pane}`} aria-label={t("lists.label")}>
      <Tabs list={list} />
      {list === "ringing" ? <RingingList /> : null}
      {list === "active" ? <ActiveList /> : null}
      {list === "queue" ? <QueueList /> : null}
      {list === "all" ? (
        <Suspense fallback={<Loading />}>
          <AllList />
        </Suspense>
      ) : null}
    </section>
  );
}

function Tabs({ list }: { list: ListName }) {
  const { t } = useTranslation("inbox");
  const session = useSession();
  const rings = useShown(({ desk }) => desk.rings.length);
  const chats = useShown(({ desk }) => desk.chats.length);
  const seesAll = may(session, "live_chat_view_all");
  const tabs: { name: ListName; count: number | null; isShown: boolean }[] = [
    { name: "ringing", count: rings, isShown: true },
    { name: "active", count: chats, isShown: true },
    { name: "queue", count: null, isShown: seesAll },
    { name: "all", count: null, isShown: true },
  ];
  return (
    <nav className={classes.tabs} aria-label={t("lists.tabs")}>
      {tabs
        .filter(({ isShown }) => isShown)
        .map(({ name, count }) => (
          <Link
            key={name}
            to="/"
            search={({ conversation }: InboxSearch) => ({
              ...(name !== "active" && { list: name }),
              ...(conversation && { conversation }),
            })}
            className={classes.tab}
            activeProps={{ "aria-current": undefined }}
            {...(list === name && { "aria-current": "page" as const })}
            data-wanting={(name === "ringing" && rings > 0) || undefined}
          >
            {t(`lists.${name}`)}
            {count ? <span className={classes.count}>{count}</span> : null}
          </Link>
        ))}
    </nav>
  );
}

function RingingList() {
  const { t } = useTranslation("inbox");
  const rings = useShown(({ desk }) => desk.rings);
  if (rings.length === 0) return <Empty title={t("lists.no_ringing")}>{t("lists.no_ringing_help")}</Empty>;
  return (
    <Rows label={t("lists.ringing")} ids={rings.map(({ conversation }) => conversation.id)}>
      {rings.map((ring) => (
        <RingRow key={ring.conversation.id} ring={ring} />
      ))}
    </Rows>
  );
}

function ActiveList() {
  const { t } = useTranslation("inbox");
  const isKnown = useShown(({ desk }) => desk.isKnown);
  const chats = useShown(({ desk }) => desk.chats);
  const ordered = useMemo(() => inOrder(chats), [chats]);
  if (!isKnown) return <Loading />;
  if (ordered.length === 0) return <Empty title={t("lists.no_active")}>{t("lists.no_active_help")}</Empty>;
  return (
    <Rows label={t("lists.active")} ids={ordered.map(({ conversation }) => conversation.id)}>
      {ordered.map((chat) => (
        <ChatRow key={chat.conversation.id} chat={chat} />
      ))}
    </Rows>
  );
}

function QueueList() {
  const { t } = useTranslation("inbox");
  const api = useApi();
  const query = { status: "queued" as const, limit: 200 };
  const queue = useQuery({
    queryKey: ["conversations", query],
    queryFn: () => answered(api.GET("/v1/conversations", { params: { query } })),
    refetchInterval: QUEUE_EVERY_MS,
    select: ({ data }) => [...data].sort((one, other) => placeOf(one) - placeOf(other)),
  });
  if (queue.isPending) return <Loading />;
  if (queue.isError) return <Problem error={queue.error} onRetry={() => void queue.refetch()} />;
  if (queue.data.length === 0) return <Empty title={t("lists.no_queue")}>{t("lists.no_queue_help")}</Empty>;
  return (
    <Rows label={t("lists.queue")} ids={queue.data.map(({ id }) => id)}>
      {queue.data.map((conversation) => (
        <ConversationRow key={conversation.id} conversation={conversation}>
          <TakeButton conversation={conversation} onDone={() => void queue.refetch()} />
        </ConversationRow>
      ))}
    </Rows>
  );
}

function TakeButton({ conversation, onDone }: { conversation: Conversation; onDone: () => void }) {
  const { t } = useTranslation("inbox");
  const { t: tApp } = useTranslation("app");
  const desk = useDesk();
  const navigate = useNavigate();
  const take = useMutation({
    mutationFn: () => desk.take(conversation.id),
    onSuccess: () => navigate({ to: "/", search: { conversation: conversation.id } }),
    onError: (error) => notifications.show({ color: "red", message: problemText(tApp, error) }),
    onSettled: onDone,
  });
  return (
    <Button size="xs" variant="light" loading={take.isPending} onClick={() => take.mutate()}>
      {t("lists.take")}
    </Button>
  );
}

function placeOf({ queue }: Conversation): number {
  return queue?.position ?? Number.POSITIVE_INFINITY;
}
