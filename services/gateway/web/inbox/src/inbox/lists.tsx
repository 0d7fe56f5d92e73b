// The lists: what rings, the agent's active chats, the queue, and everything.

import { ActionIcon, Button, CloseButton, Menu, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { answered, type Conversation } from "@rondo/client";
import { IconAdjustments, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { VList } from "virtua";
import { useApi, useSession } from "../app/needs.ts";
import { problemText } from "../app/problem.ts";
import { useShortcuts } from "../app/shortcuts.ts";
import { Empty, Loading, Problem } from "../app/states.tsx";
import { inOrder } from "../desk/desk.ts";
import { useDesk, useShown } from "../desk/use_desk.ts";
import { may } from "../session/session.ts";
import { ChatRow, ConversationRow, RingRow } from "./list_rows.tsx";
import classes from "./lists.module.css";
import { lazyRoute } from "./page.tsx";
import { type InboxSearch, type ListName, STATUSES } from "./routes.tsx";

const PAGE = 50;
const QUEUE_EVERY_MS = 5_000;
const SEARCH_AFTER_MS = 300;

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
      {list === "all" ? <AllList /> : null}
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

function AllList() {
  const { t } = useTranslation("inbox");
  const api = useApi();
  const { q, status, agent, visitor } = lazyRoute.useSearch();
  const query = {
    limit: PAGE,
    ...(q && { q }),
    ...(status && { status }),
    ...(agent && { agent_id: agent }),
    ...(visitor && { visitor_id: visitor }),
  };
  const found = useInfiniteQuery({
    queryKey: ["conversations", query],
    queryFn: ({ pageParam }) =>
      answered(
        api.GET("/v1/conversations", {
          params: { query: { ...query, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: ({ next_cursor }) => next_cursor,
    maxPages: 40,
  });
  const all = found.data?.pages.flatMap(({ data }) => data) ?? [];
  const more = () => {
    if (found.hasNextPage && !found.isFetchingNextPage) void found.fetchNextPage();
  };
  return (
    <>
      <Filters />
      {found.isPending ? <Loading /> : null}
      {found.isError ? <Problem error={found.error} onRetry={() => void found.refetch()} /> : null}
      {found.isSuccess && all.length === 0 ? (
        <Empty title={t("lists.nothing_found")}>{t("lists.nothing_found_help")}</Empty>
      ) : null}
      {all.length > 0 ? (
        <Rows label={t("lists.all")} ids={all.map(({ id }) => id)} onEnd={more}>
          {all.map((conversation) => (
            <ConversationRow key={conversation.id} conversation={conversation} />
          ))}
        </Rows>
      ) : null}
    </>
  );
}

/** What is looked for: in the address, so that it can be kept and sent to somebody. */
function Filters() {
  const { t } = useTranslation("inbox");
  const { q = "", status, agent, visitor } = lazyRoute.useSearch();
  const navigate = useNavigate();
  const { agent: me } = useSession();
  const [text, setText] = useState(q);
  const input = useRef<HTMLInputElement>(null);
  const change = (changed: Partial<Record<keyof InboxSearch, string | undefined>>) =>
    void navigate({
      to: "/",
      search: (before) => ({ ...before, ...changed }) as InboxSearch,
      replace: true,
    });
  const latest = useRef(change);
  latest.current = change;
  useEffect(() => {
    if (text === q) return;
    const timer = setTimeout(() => latest.current({ q: text || undefined }), SEARCH_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text, q]);
  useEffect(() => {
    if (sessionStorage.getItem(FOCUS_SEARCH) === null) return;
    sessionStorage.removeItem(FOCUS_SEARCH);
    input.current?.focus();
  }, []);
  useShortcuts({ "/": () => input.current?.focus() });
  const filters = [
    status && { key: "status" as const, text: t(`status.${status}`) },
    agent && { key: "agent" as const, text: agent === me.id ? t("filters.mine") : agent },
    visitor && { key: "visitor" as const, text: t("filters.visitor") },
  ].filter((each) => !!each);
  return (
    <div className={classes.filters}>
      <div className={classes.search}>
        <TextInput
          ref={input}
          flex={1}
          type="search"
          aria-label={t("filters.search")}
          placeholder={t("filters.search")}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <ActionIcon variant="default" size={36} aria-label={t("filters.label")}>
              <IconAdjustments size={18} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => change({ agent: agent ? undefined : me.id })}>
              {t("filters.mine")}
            </Menu.Item>
            <Menu.Divider />
            {STATUSES.map((each) => (
              <Menu.Item key={each} onClick={() => change({ status: each })}>
                {t(`status.${each}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </div>
      {filters.length > 0 ? (
        <div className={classes.chips}>
          {filters.map(({ key, text: shown }) => (
            <span key={key} className={classes.chip}>
              <bdi>{shown}</bdi>
              <CloseButton
                size="xs"
                aria-label={t("filters.remove", { name: shown })}
                onClick={() => change({ [key]: undefined })}
              />
            </span>
          ))}
        </div>
      ) : null}
    </div>
  );
}

/** Says that the search wants the focus once it is there. */
export const FOCUS_SEARCH = "rondo:focus_search";

interface RowsProps {
  label: string;
  /** Of the conversations, in the order of the rows: `J` and `K` go along them. */
  ids: readonly string[];
  /** Called when the last rows are in view. */
  onEnd?: () => void;
  children: ReactNode[];
}

/** Rows of which only those in view are there. */
function Rows({ label, ids, onEnd, children }: RowsProps) {
  const { conversation } = lazyRoute.useSearch();
  const navigate = useNavigate();
  const step = (by: number) => {
    const at = conversation ? ids.indexOf(conversation) : -1;
    const id = ids[at < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, at + by))];
    if (id) void navigate({ to: "/", search: (before) => ({ ...before, conversation: id }) });
  };
  useShortcuts({ j: () => step(1), k: () => step(-1) });
  const list = useRef<{ scrollOffset: number; viewportSize: number; scrollSize: number } | null>(null);
  return (
    <VList
      ref={(handle) => {
        list.current = handle;
      }}
      className={classes.rows}
      role="list"
      aria-label={label}
      onScroll={() => {
        const { current } = list;
        if (current && current.scrollSize - current.scrollOffset - current.viewportSize < 600) onEnd?.();
      }}
    >
      {children}
    </VList>
  );
}

function placeOf({ queue }: Conversation): number {
  return queue?.position ?? Number.POSITIVE_INFINITY;
}
