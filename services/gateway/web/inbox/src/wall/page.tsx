// The wall: how it stands now, to be read from across a room.

import { ActionIcon, Badge, Group, Progress, Text, Title, Tooltip } from "@mantine/core";
import { useFullscreenElement } from "@mantine/hooks";
import { IconMaximize, IconMinimize } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { createLazyRoute } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi, useSession } from "../app/needs.ts";
import { Empty, Problem } from "../app/states.tsx";
import { may } from "../session/session.ts";
import { fallbacks, levels, type MetricsWindow, percentileS, seated, series, totals } from "./figures.ts";
import { WallPicture } from "./picture.tsx";
import { rosterQuery } from "./roster.ts";
import { useLiveMetrics } from "./stream.ts";
import "./styles.ts";
import classes from "./wall.module.css";

export const lazyRoute = createLazyRoute("/shell/wall")({ component: WallPage });

/** How often the roster is asked for: it has no stream. */
const ROSTER_REFETCH_MS = 5_000;
const TICK_MS = 1_000;

function WallPage() {
  const { t } = useTranslation("wall");
  const session = useSession();
  if (!may(session, "analytics_view")) {
    return <Empty title={t("not_permitted.title")}>{t("not_permitted.words")}</Empty>;
  }
  return <Wall />;
}

function Wall() {
  const { t } = useTranslation("wall");
  const { windows, state, hasData } = useLiveMetrics(useApi());
  const nowMs = useNow();
  const { ref, toggle, fullscreen } = useFullscreenElement();
  const level = levels(windows, nowMs);
  const sums = totals(windows);
  const reasons = fallbacks(windows);
  return (
    <div className={classes.wall} ref={ref}>
      <Group justify="space-between" wrap="nowrap">
        <Group gap="sm">
          <Title order={1} size="h3">
            {t("title")}
          </Title>
          <Connection isLive={state.is === "open" && hasData} isRefused={state.is === "closed"} />
        </Group>
        <Tooltip label={t(fullscreen ? "smaller" : "fullscreen")}>
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={t(fullscreen ? "smaller" : "fullscreen")}
            onClick={() => void toggle()}
          >
            {fullscreen ? <IconMinimize size={20} /> : <IconMaximize size={20} />}
          </ActionIcon>
        </Tooltip>
      </Group>
      {state.is === "closed" && state.error ? <Problem error={state.error} /> : null}
      <section className={classes.levels} aria-label={t("now")}>
        <Figure label={t("waiting")} value={level.waiting} isLoud={level.waiting > 0} />
        <Figure label={t("queue")} value={level.queue} isLoud={level.queue > 0} />
        <Figure label={t("active")} value={level.active} />
        <Waits windows={windows} />
      </section>
      <section className={classes.counts} aria-label={t("last_minutes")}>
        <Text className={classes.caption}>{t("last_minutes")}</Text>
        <Small label={t("requested")} value={sums.requested} />
        <Small label={t("offered")} value={sums.offered} />
        <Small label={t("accepted")} value={sums.accepted} />
        <Small label={t("missed")} value={sums.missed} isBad={sums.missed > 0} />
        <Small label={t("declined")} value={sums.declined} />
        <Small label={t("withdrawn")} value={sums.withdrawn} />
      </section>
      <div className={classes.lower}>
        <section className={classes.card} aria-label={t("picture")}>
          <Title order={2} size="h4">
            {t("picture")}
          </Title>
          <WallPicture points={series(windows, nowMs)} />
        </section>
        <section className={classes.card} aria-label={t("fallbacks")}>
          <Title order={2} size="h4">
            {t("fallbacks")}
          </Title>
          {reasons.length === 0 ? <Text c="dimmed">{t("no_fallbacks")}</Text> : null}
          <ul className={classes.reasons}>
            {reasons.map(({ reason, count }) => (
              <li key={reason}>
                <span>{t(`reason.${reason as "nobody_available"}`)}</span>
                <strong>{count}</strong>
              </li>
            ))}
          </ul>
        </section>
        <Seats />
      </div>
    </div>
  );
}

/** The time, so that what is old shows as old even when nothing is told. */
function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function Connection({ isLive, isRefused }: { isLive: boolean; isRefused: boolean }) {
  const { t } = useTranslation("wall");
  const colour = isLive ? "calm" : isRefused ? "red" : "ring";
  return (
    <Badge color={colour} variant="light" size="lg" role="status">
      {isLive ? t("live") : isRefused ? t("refused") : t("connecting")}
    </Badge>
  );
}

function Figure({ label, value, isLoud = false }: { label: string; value: ReactNode; isLoud?: boolean }) {
  return (
    <div className={classes.figure} data-is-loud={isLoud}>
      <span className={classes.label}>{label}</span>
      <span className={classes.value}>{value}</span>
    </div>
  );
}

function Small({ label, value, isBad = false }: { label: string; value: number; isBad?: boolean }) {
  return (
    <div className={classes.small} data-is-bad={isBad}>
      <span className={classes.label}>{label}</span>
      <span className={classes.smallValue}>{value}</span>
    </div>
  );
}

function Waits({ windows }: { windows: readonly MetricsWindow[] }) {
  const { t } = useTranslation("wall");
  const waits = windows.map(({ accept_wait }) => accept_wait);
  const half = percentileS(waits, 0.5);
  const most = percentileS(waits, 0.9);
  return (
    <>
      <Figure label={t("wait_half")} value={seconds(half)} />
      <Figure label={t("wait_most")} value={seconds(most)} />
    </>
  );
}

/** A wait as it is read from afar. */
function seconds(wait: number | null): string {
  if (wait === null) return "–";
  if (wait < 60) return `${wait < 10 ? Math.round(wait * 10) / 10 : Math.round(wait)} s`;
  return `${Math.floor(wait / 60)}:${String(Math.round(wait % 60)).padStart(2, "0")} min`;
}

/** Everybody who answers chats, and how much they have. */
function Seats() {
  const { t } = useTranslation("wall");
  const api = useApi();
  const roster = useQuery({ ...rosterQuery(api), refetchInterval: ROSTER_REFETCH_MS });
  const seats = seated(roster.data ?? []);
  const available = seats.filter((each) => each.available).length;
  return (
    <section className={`${classes.card} ${classes.seats}`} aria-label={t("agents")}>
      <Group justify="space-between">
        <Title order={2} size="h4">
          {t("agents")}
        </Title>
        <Text c="dimmed">{t("available_count", { count: available, all: seats.length })}</Text>
      </Group>
      {roster.error ? <Problem error={roster.error} onRetry={() => void roster.refetch()} /> : null}
      {roster.data?.length === 0 ? <Text c="dimmed">{t("no_agents")}</Text> : null}
      <ul className={classes.seatList}>
        {seats.map(({ id, name, available: isAvailable, present, load, capacity }) => (
          <li key={id} data-is-away={!isAvailable}>
            <Group justify="space-between" gap="xs" wrap="nowrap">
              <Text className={classes.seatName} truncate>
                {name}
              </Text>
              <Text className={classes.seatLoad}>
                {load}/{capacity}
              </Text>
            </Group>
            <Progress
              value={capacity > 0 ? Math.min(100, (load / capacity) * 100) : 0}
              color={load >= capacity ? "ring" : "calm"}
              size="md"
              aria-label={t("load_of", { name, load, capacity })}
            />
            <Text size="sm" c="dimmed">
              {isAvailable ? t(present ? "available" : "available_absent") : t("away")}
            </Text>
          </li>
        ))}
      </ul>
    </section>
  );
}
