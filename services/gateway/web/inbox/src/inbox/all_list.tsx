// Every conversation the agent may see: searched, filtered, as far back as one scrolls.

import "../app/more_styles.ts";
import { ActionIcon, CloseButton, Menu, TextInput } from "@mantine/core";
import { answered } from "@rondo/client";
import { IconAdjustments, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi, useSession } from "../app/needs.ts";
import { useShortcuts } from "../app/shortcuts.ts";
import { Empty, Loading, Problem } from "../app/states.tsx";
import { ConversationRow } from "./list_rows.tsx";
import classes from "./lists.module.css";
import { lazyRoute } from "./page.tsx";
import { type InboxSearch, STATUSES } from "./routes.tsx";
import { Rows } from "./rows.tsx";

const PAGE = 50;
const PAGES_MAX = 40;
const SEARCH_AFTER_MS = 300;

/** The list. Its filters are in the address. */
export default function AllList() {
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
    maxPages: PAGES_MAX,
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
