// All of a kind in a table, to be searched and opened.

import { Button, Table, Text, TextInput } from "@mantine/core";
import { answered } from "@rondo/client";
import { IconPlus, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "../app/needs.ts";
import { Empty, Loading, Problem } from "../app/states.tsx";
import classes from "./console.module.css";
import { LISTS } from "./editor.tsx";
import type { Kind, Shown } from "./kinds.ts";
import { SectionPage } from "./section.tsx";
import { word } from "./words.ts";

const PAGE_SIZE = 200;
const ROWS_SHOWN_MAX = 300;

/** One column; the first is the way to the entry. */
export interface Column<K extends Kind> {
  name: string;
  show(each: Shown<K>): ReactNode;
  /** Left out where there is little room. */
  isSecondary?: boolean;
}

interface KindListProps<K extends Kind> {
  kind: K;
  columns: readonly Column<K>[];
  /** What is searched. */
  textOf(each: Shown<K>): string;
  actions?: ReactNode;
  above?: ReactNode;
  /** What stands in a row beside the way to the entry. */
  rowActions?(each: Shown<K>): ReactNode;
}

export function KindList<K extends Kind>(props: KindListProps<K>) {
  const { kind, columns, rowActions } = props;
  const { t } = useTranslation("console");
  const [search, setSearch] = useState("");
  const { entries, error, isPending, refetch, hasMore, loadMore } = useEntries(kind, search !== "");
  const wanted = search.trim().toLowerCase();
  const found = entries.filter((each) => props.textOf(each).toLowerCase().includes(wanted));
  return (
    <SectionPage
      title={word(t, `sections.${kind}`)}
      about={word(t, `${kind}.about`)}
      actions={
        <>
          {props.actions}
          <Button
            renderRoot={(given) => <Link to={`${LISTS[kind]}/new` as "/console/agents/new"} {...given} />}
            leftSection={<IconPlus size={18} aria-hidden />}
          >
            {word(t, `${kind}.new`)}
          </Button>
        </>
      }
    >
      {props.above}
      {entries.length > 5 || search !== "" ? (
        <TextInput
          type="search"
          aria-label={t("search")}
          placeholder={t("search")}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          maw="20rem"
        />
      ) : null}
      {error ? <Problem error={error} onRetry={refetch} /> : null}
      {isPending ? <Loading /> : null}
      {!isPending && !error && entries.length === 0 ? (
        <Empty title={word(t, `${kind}.none`)}>{word(t, `${kind}.none_words`)}</Empty>
      ) : null}
      {found.length > 0 ? (
        <div className={classes.table}>
          <Table verticalSpacing="sm" highlightOnHover aria-label={word(t, `sections.${kind}`)}>
            <Table.Thead>
              <Table.Tr>
                {columns.map(({ name, isSecondary }) => (
                  <Table.Th key={name} {...(isSecondary && { visibleFrom: "sm" })}>
                    {word(t, `${kind}.columns.${name}`)}
                  </Table.Th>
                ))}
                {rowActions ? <Table.Th>{t("actions")}</Table.Th> : null}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {found.slice(0, ROWS_SHOWN_MAX).map((each) => (
                <Table.Tr key={each.id}>
                  {columns.map(({ name, show, isSecondary }, index) => (
                    <Table.Td key={name} {...(isSecondary && { visibleFrom: "sm" })}>
                      {index === 0 ? (
                        <EntryLink kind={kind} id={each.id}>
                          {show(each)}
                        </EntryLink>
                      ) : (
                        show(each)
                      )}
                    </Table.Td>
                  ))}
                  {rowActions ? <Table.Td>{rowActions(each)}</Table.Td> : null}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      ) : null}
      {entries.length > 0 && found.length === 0 ? <Text c="dimmed">{t("nothing_found")}</Text> : null}
      {found.length > ROWS_SHOWN_MAX ? (
        <Text c="dimmed">{t("first_shown", { count: ROWS_SHOWN_MAX })}</Text>
      ) : null}
      {hasMore && search === "" ? (
        <Button variant="default" onClick={loadMore}>
          {t("load_more")}
        </Button>
      ) : null}
    </SectionPage>
  );
}

/** The way to the editor of one. */
export function EntryLink({ kind, id, children }: { kind: Kind; id: string; children: ReactNode }) {
  return (
    <Link to={`${LISTS[kind]}/edit/$id` as "/console/agents/edit/$id"} params={{ id }}>
      {children}
    </Link>
  );
}

/** The entries loaded so far; all of them when they are searched. */
function useEntries<K extends Kind>(kind: K, wantsAll: boolean) {
  const api = useApi();
  const query = useInfiniteQuery({
    queryKey: ["console", kind, "pages"],
    queryFn: ({ pageParam }) => {
      const cursor = pageParam === null ? {} : { cursor: pageParam };
      const params = { query: { limit: PAGE_SIZE, ...cursor } };
      return answered(api.GET(`/v1/${kind}` as "/v1/agents", { params }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
  });
  const { hasNextPage, isFetching, fetchNextPage } = query;
  useEffect(() => {
    if (wantsAll && hasNextPage && !isFetching) void fetchNextPage();
  }, [wantsAll, hasNextPage, isFetching, fetchNextPage]);
  const pages = query.data?.pages ?? [];
  return {
    entries: pages.flatMap((page) => page.data as unknown[] as Shown<K>[]),
    error: query.error,
    isPending: query.isPending,
    refetch: () => void query.refetch(),
    hasMore: hasNextPage,
    loadMore: () => void fetchNextPage(),
  };
}
