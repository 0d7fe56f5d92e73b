// What was sent to a webhook endpoint, each attempt with its request and answer; tests and replays.

import { Accordion, Badge, Button, Code, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { type Api, answered, type components } from "@rondo/client";
import { IconPlayerPlay, IconRefresh, IconRepeat } from "@tabler/icons-react";
import { infiniteQueryOptions, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "../app/needs.ts";
import { Empty, Loading, Problem } from "../app/states.tsx";
import classes from "./console.module.css";
import { useNotices } from "./notice.ts";
import { Card } from "./section.tsx";

type Delivery = components["schemas"]["Delivery"];
type Attempt = components["schemas"]["DeliveryAttempt"];
type State = components["schemas"]["DeliveryState"];

const STATES = ["pending", "retrying", "delivered", "failed"] as const;
const COLOURS: Record<State, string> = {
  pending: "gray",
  retrying: "ring",
  delivered: "calm",
  failed: "red",
};
const PAGE_SIZE = 25;
/** How often the log looks for what is under way. */
const REFETCH_MS = 4_000;

function deliveriesQuery(api: Api, webhookId: string, state: State | null) {
  return infiniteQueryOptions({
    queryKey: ["console", "deliveries", webhookId, state],
    queryFn: ({ pageParam }) =>
      answered(
        api.GET("/v1/webhooks/{webhook_id}/deliveries", {
          params: {
            path: { webhook_id: webhookId },
            query: { limit: PAGE_SIZE, ...(state && { state }), ...(pageParam && { cursor: pageParam }) },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor ?? null,
  });
}

export function Deliveries({ webhookId }: { webhookId: string }) {
  const { t } = useTranslation("console");
  const api = useApi();
  const [state, setState] = useState<State | null>(null);
  const query = useInfiniteQuery({
    ...deliveriesQuery(api, webhookId, state),
    // Once somebody has gone further down, the log stays as they read it.
    refetchInterval: ({ state: { data } }) => ((data?.pages.length ?? 0) > 1 ? false : REFETCH_MS),
  });
  const deliveries = query.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <Card title={t("deliveries.title")} about={t("deliveries.about")}>
      <Sending webhookId={webhookId} />
      <Group align="flex-end">
        <Select
          label={t("deliveries.state")}
          placeholder={t("deliveries.all")}
          clearable
          clearButtonProps={{ "aria-label": t("clear") }}
          data={STATES.map((value) => ({ value, label: t(`deliveries.states.${value}`) }))}
          value={state}
          onChange={(chosen) => setState(chosen as State | null)}
        />
        <Button
          variant="default"
          leftSection={<IconRefresh size={16} aria-hidden />}
          onClick={() => void query.refetch()}
        >
          {t("deliveries.refresh")}
        </Button>
      </Group>
      {query.error ? <Problem error={query.error} /> : null}
      {query.isPending ? <Loading /> : null}
      {query.isSuccess && deliveries.length === 0 ? (
        <Empty title={t("deliveries.none")}>{t("deliveries.none_words")}</Empty>
      ) : null}
      <Accordion variant="separated">
        {deliveries.map((delivery) => (
          <DeliveryItem key={delivery.id} delivery={delivery} />
        ))}
      </Accordion>
      {query.hasNextPage ? (
        <Button variant="default" onClick={() => void query.fetchNextPage()}>
          {t("load_more")}
        </Button>
      ) : null}
    </Card>
  );
}

/** A test now, or everything since a time once more. */
function Sending({ webhookId }: { webhookId: string }) {
  const { t } = useTranslation("console");
  const api = useApi();
  const notices = useNotices();
  const queryClient = useQueryClient();
  const [since, setSince] = useState("");
  const path = { webhook_id: webhookId };
  const refetch = () => queryClient.invalidateQueries({ queryKey: ["console", "deliveries", webhookId] });
  const test = useMutation({
    mutationFn: () => answered(api.POST("/v1/webhooks/{webhook_id}/test", { params: { path } })),
    onSuccess: async () => {
      notices.done(t("deliveries.test_sent"));
      await refetch();
    },
    onError: notices.failed,
  });
  const replay = useMutation({
    mutationFn: () =>
      answered(
        api.POST("/v1/webhooks/{webhook_id}/replay", {
          params: { path },
          body: { since: new Date(since).toISOString() },
        }),
      ),
    onSuccess: async () => {
      notices.done(t("deliveries.replay_started"));
      await refetch();
    },
    onError: notices.failed,
  });
  return (
    <Group align="flex-end">
      <Button
        variant="default"
        leftSection={<IconPlayerPlay size={16} aria-hidden />}
        loading={test.isPending}
        onClick={() => test.mutate()}
      >
        {t("deliveries.test")}
      </Button>
      <TextInput
        type="datetime-local"
        label={t("deliveries.since")}
        value={since}
        onChange={(event) => setSince(event.currentTarget.value)}
      />
      <Button
        variant="default"
        leftSection={<IconRepeat size={16} aria-hidden />}
        disabled={since === ""}
        loading={replay.isPending}
        onClick={() => replay.mutate()}
      >
        {t("deliveries.replay")}
      </Button>
    </Group>
  );
}

function DeliveryItem({ delivery }: { delivery: Delivery }) {
  const { t, i18n } = useTranslation("console");
  const time = new Intl.DateTimeFormat(i18n.language, { dateStyle: "short", timeStyle: "medium" });
  return (
    <Accordion.Item value={delivery.id}>
      <Accordion.Control>
        <Group gap="sm">
          <Badge color={COLOURS[delivery.state]} variant="light">
            {t(`deliveries.states.${delivery.state}`)}
          </Badge>
          <Text size="sm" fw={500}>
            {delivery.event_type}
          </Text>
          <Text size="sm" c="dimmed">
            {time.format(new Date(delivery.created_at))}
          </Text>
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        <Stack>
          <Text size="xs" c="dimmed">
            {delivery.id} {delivery.conversation_id}
          </Text>
          {delivery.attempts.length === 0 ? <Text size="sm">{t("deliveries.not_tried")}</Text> : null}
          {delivery.attempts.map((attempt, index) => (
            <AttemptWords key={attempt.at} attempt={attempt} number={index + 1} time={time} />
          ))}
          {delivery.next_attempt_at ? (
            <Text size="sm">
              {t("deliveries.next", { time: time.format(new Date(delivery.next_attempt_at)) })}
            </Text>
          ) : null}
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  );
}

interface AttemptWordsProps {
  attempt: Attempt;
  number: number;
  time: Intl.DateTimeFormat;
}

function AttemptWords({ attempt, number, time }: AttemptWordsProps) {
  const { t } = useTranslation("console");
  const { status, error, duration_ms, request, response } = attempt;
  return (
    <Stack gap="xs">
      <Text size="sm" fw={500}>
        {t("deliveries.attempt", { number, time: time.format(new Date(attempt.at)), ms: duration_ms })}{" "}
        {status === null || status === undefined ? t("deliveries.no_answer") : status}
      </Text>
      {error ? (
        <Text size="sm" className="problem-text">
          {error}
        </Text>
      ) : null}
      <Text size="sm">{t("deliveries.request")}</Text>
      <Code block className={classes.pre} tabIndex={0} aria-label={t("deliveries.request")}>
        {httpText(request.headers, request.body)}
      </Code>
      {response ? (
        <>
          <Text size="sm">{t("deliveries.response")}</Text>
          <Code block className={classes.pre} tabIndex={0} aria-label={t("deliveries.response")}>
            {httpText(response.headers, response.body)}
          </Code>
        </>
      ) : null}
    </Stack>
  );
}

function httpText(headers: Record<string, string>, body: string): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return `${lines.join("\n")}\n\n${indented(body)}`;
}

function indented(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body; // Cut, or never JSON.
  }
}
