// Reports: how live chat went, by day, agent, team and route.

import { Button, Group, SegmentedControl, Stack, Table, Text, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type Api, answered, errorOf, networkError } from "@rondo/client";
import { IconChartBar, IconDownload } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { createLazyRoute, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useApi, useSession } from "../app/needs.ts";
import { problemText } from "../app/problem.ts";
import { Empty, Loading, Problem } from "../app/states.tsx";
import { may } from "../session/session.ts";
import { rosterQuery } from "../wall/roster.ts";
import {
  DAYS_MAX,
  daysIn,
  GROUPINGS,
  type Grouping,
  isDay,
  lastDays,
  type Period,
  PRESETS,
  periodOf,
  questionOf,
  today,
} from "./period.ts";
import { ReportPicture } from "./picture.tsx";
import classes from "./reports.module.css";
import type { ReportSearch } from "./routes.tsx";
import { BARS_MAX, bars, COUNTS, DURATIONS, fellBack, inOrder, type Row, spoken } from "./rows.ts";
import "./styles.ts";

export const lazyRoute = createLazyRoute("/shell/reports")({ component: ReportsPage });

function ReportsPage() {
  const { t } = useTranslation("reports");
  if (!may(useSession(), "analytics_view")) {
    return <Empty title={t("not_permitted.title")}>{t("not_permitted.words")}</Empty>;
  }
  return <Reports />;
}

function Reports() {
  const { t } = useTranslation("reports");
  const { t: tApp } = useTranslation("app");
  const api = useApi();
  const search = useSearch({ from: "/shell/reports" });
  const navigate = useNavigate();
  const timeZone = useSession().workspace.time_zone;
  const until = today(timeZone, new Date());
  const period = periodOf(search, until);
  const grouping = GROUPINGS.find((each) => each === search.by) ?? "day";
  const report = useQuery({
    queryKey: ["reports", "live_chat", grouping, period],
    queryFn: async (): Promise<Row[]> => {
      const params = { query: { ...questionOf(period), group_by: grouping } };
      // The same address has CSV too, for whoever accepts that.
      return ((await answered(api.GET("/v1/reports/live_chat", { params }))) as { data: Row[] }).data;
    },
  });
  const download = useMutation({
    mutationFn: () => downloadCsv(api, period, grouping),
    onError: (error) => notifications.show({ message: problemText(tApp, error), color: "red" }),
  });
  const show = (change: ReportSearch) =>
    void navigate({ to: "/reports", search: { ...search, ...change }, replace: true });
  const nameOf = useNames(grouping);
  return (
    <div className={classes.reports}>
      <Group justify="space-between" align="flex-end">
        <div>
          <Title order={1} size="h2">
            {t("title")}
          </Title>
          <Text size="sm" c="dimmed">
            {t("about", { zone: timeZone })}
          </Text>
        </div>
        {may(useSession(), "analytics_export") ? (
          <Button
            variant="default"
            leftSection={<IconDownload size={18} aria-hidden />}
            loading={download.isPending}
            onClick={() => download.mutate()}
          >
            {t("download")}
          </Button>
        ) : null}
      </Group>
      <Group align="flex-end" gap="md">
        <SegmentedControl
          aria-label={t("by")}
          data={GROUPINGS.map((value) => ({ value, label: t(`grouping.${value}`) }))}
          value={grouping}
          onChange={(by) => show({ by })}
        />
        <PeriodInput period={period} until={until} onChange={show} />
      </Group>
      {report.error ? <Problem error={report.error} onRetry={() => void report.refetch()} /> : null}
      {report.isPending ? <Loading /> : null}
      {report.data?.length === 0 ? (
        <Empty icon={<IconChartBar size={32} />} title={t("nothing")}>
          {t("nothing_words")}
        </Empty>
      ) : null}
      {report.data && report.data.length > 0 ? (
        <>
          <section className={classes.card} aria-label={t("picture")}>
            <ReportPicture bars={bars(report.data, grouping, period)} grouping={grouping} nameOf={nameOf} />
            {grouping !== "day" && report.data.length > BARS_MAX ? (
              <Text size="sm" c="dimmed">
                {t("only_most", { count: BARS_MAX })}
              </Text>
            ) : null}
          </section>
          <ReportTable rows={inOrder(report.data, grouping)} grouping={grouping} nameOf={nameOf} />
        </>
      ) : null}
    </div>
  );
}

interface PeriodInputProps {
  period: Period;
  /** Today. */
  until: string;
  onChange(period: Period): void;
}

function PeriodInput({ period, until, onChange }: PeriodInputProps) {
  const { t } = useTranslation("reports");
  const set = (change: Partial<Period>) => {
    const changed = { ...period, ...change };
    if (!isDay(changed.from) || !isDay(changed.to)) return;
    // A day that turns the period around takes the other one along.
    if (daysIn(changed) < 1) onChange(change.from ? lastDays(1, changed.from) : lastDays(1, changed.to));
    else if (daysIn(changed) > DAYS_MAX) onChange(lastDays(DAYS_MAX, changed.to));
    else onChange(changed);
  };
  return (
    <Group align="flex-end" gap="sm">
      <TextInput
        type="date"
        label={t("from")}
        value={period.from}
        max={until}
        onChange={(event) => set({ from: event.currentTarget.value })}
      />
      <TextInput
        type="date"
        label={t("to")}
        value={period.to}
        max={until}
        onChange={(event) => set({ to: event.currentTarget.value })}
      />
      <Button.Group>
        {PRESETS.map((days) => (
          <Button key={days} variant="default" onClick={() => onChange(lastDays(days, until))}>
            {t("days", { count: days })}
          </Button>
        ))}
      </Button.Group>
    </Group>
  );
}

interface ReportTableProps {
  rows: readonly Row[];
  grouping: Grouping;
  nameOf(group: string): string;
}

function ReportTable({ rows, grouping, nameOf }: ReportTableProps) {
  const { t } = useTranslation("reports");
  return (
    // The table is wider than a phone: it moves within, also with the keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard could not move the table.
    <section className={classes.table} tabIndex={0} aria-label={t("table")}>
      <Table verticalSpacing="sm" striped aria-label={t("table")}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t(`grouping.${grouping}`)}</Table.Th>
            {COUNTS.map((each) => (
              <Table.Th key={each} ta="end">
                {t(`columns.${each}`)}
              </Table.Th>
            ))}
            <Table.Th ta="end">{t("columns.fell_back")}</Table.Th>
            {DURATIONS.map((each) => (
              <Table.Th key={each} ta="end">
                {t(`columns.${each}`)}
              </Table.Th>
            ))}
            <Table.Th ta="end">{t("columns.rating")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.group}>
              <Table.Th scope="row">{nameOf(row.group)}</Table.Th>
              {COUNTS.map((each) => (
                <Table.Td key={each} ta="end">
                  {row[each]}
                </Table.Td>
              ))}
              <Table.Td ta="end">
                <Reasons row={row} />
              </Table.Td>
              {DURATIONS.map((each) => (
                <Table.Td key={each} ta="end" className={classes.duration}>
                  {spoken(row[each].p50)} <span className={classes.most}>/ {spoken(row[each].p90)}</span>
                </Table.Td>
              ))}
              <Table.Td ta="end">{ratingOf(row)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}

/** The average of a row's ratings; a dash where nobody rated, or where the server knows of none. */
function ratingOf(row: Row & { rating?: { count: number; average: number | null } }): string {
  const { rating } = row;
  if (!rating?.count || rating.average === null) return "–";
  return `${rating.average.toFixed(1)} (${rating.count})`;
}

function Reasons({ row }: { row: Row }) {
  const { t } = useTranslation("reports");
  const count = fellBack(row);
  const reasons = Object.entries(row.fell_back).filter(([, each]) => (each ?? 0) > 0);
  return (
    <Stack gap={0}>
      {count}
      {reasons.map(([reason, each]) => (
        <Text key={reason} size="xs" c="dimmed">
          {t(`reason.${reason as "nobody_available"}`)}: {each}
        </Text>
      ))}
    </Stack>
  );
}

/** What a group is called: days in the reader's way of writing them, agents and teams by name. */
function useNames(grouping: Grouping): (group: string) => string {
  const { t, i18n } = useTranslation("reports");
  const api = useApi();
  const agents = useQuery({ ...rosterQuery(api), enabled: grouping === "agent" });
  const teams = useQuery({
    queryKey: ["reports", "teams"],
    queryFn: async () => (await answered(api.GET("/v1/teams", { params: { query: { limit: 200 } } }))).data,
    enabled: grouping === "team",
  });
  const entries = grouping === "agent" ? agents.data : teams.data;
  const names = useMemo(() => new Map((entries ?? []).map(({ id, name }) => [id, name])), [entries]);
  if (grouping === "day") {
    const format = new Intl.DateTimeFormat(i18n.language, {
      day: "numeric",
      month: "short",
      timeZone: "UTC",
    });
    return (day) => (isDay(day) ? format.format(new Date(`${day}T00:00:00Z`)) : day);
  }
  if (grouping === "route") return (route) => t(`route.${route as "round_robin"}`, { defaultValue: route });
  return (id) => names.get(id) ?? id;
}

/** Asks for the report as a file and hands it to the browser. */
async function downloadCsv(api: Api, period: Period, grouping: Grouping): Promise<void> {
  let answer: { data?: unknown; error?: unknown; response: Response };
  try {
    answer = await api.GET("/v1/reports/live_chat", {
      params: { query: { ...questionOf(period), group_by: grouping } },
      headers: { Accept: "text/csv" },
      parseAs: "blob",
    });
  } catch (cause) {
    throw networkError(cause);
  }
  if (!answer.response.ok) throw await errorOf(answer.response, answer.error);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(answer.data as Blob);
  link.download = `live_chat_${grouping}_${period.from}_${period.to}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}
