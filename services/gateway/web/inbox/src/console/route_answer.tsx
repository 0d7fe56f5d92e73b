// What would become of a request: who would be rung, by which stages, and why not somebody else.

import { Alert, Avatar, Badge, Group, List, Stack, Text } from "@mantine/core";
import { answered, type components } from "@rondo/client";
import { IconClock, IconPhoneOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi, useSession } from "../app/needs.ts";
import { may } from "../session/session.ts";
import classes from "./console.module.css";
import { kindQuery } from "./kinds.ts";
import { useAgentNames } from "./people.tsx";
import { Card } from "./section.tsx";

type RoutePreview = components["schemas"]["RoutePreview"];
type Stage = components["schemas"]["PlannedStage"];

export function RouteAnswer({ plan }: { plan: RoutePreview }) {
  const { t } = useTranslation("console");
  return (
    <Card title={t("plan.title")}>
      <Outcome plan={plan} />
      <Stack gap="xs">
        <Text fw={500} size="sm">
          {t("plan.stages")}
        </Text>
        {plan.guard ? <Text size="sm">{t("plan.guarded")}</Text> : null}
        {!plan.guard && plan.stages.length === 0 ? <Text size="sm">{t("plan.no_stage")}</Text> : null}
        <ol className={classes.steps}>
          {plan.stages.map((stage, index) => (
            <li
              // biome-ignore lint/suspicious/noArrayIndexKey: stages have no other identity than their place.
              key={index}
              data-is-decisive={plan.outcome === "offered" && isOf(stage, plan.why)}
            >
              <Stack gap={2}>
                <StageName stage={stage} />
                <Text size="sm" c="dimmed">
                  {t("plan.attempts", { count: stage.attempts })}
                </Text>
              </Stack>
            </li>
          ))}
        </ol>
      </Stack>
      <PassedOver plan={plan} />
    </Card>
  );
}

function isOf(stage: Stage, why: RoutePreview["why"]): boolean {
  return stage.name === why.stage && (stage.pool ?? null) === (why.pool ?? null);
}

function Outcome({ plan }: { plan: RoutePreview }) {
  const { t } = useTranslation("console");
  const { agent, queue, fallback, why } = plan;
  if (plan.outcome === "offered" && agent) {
    return (
      <Group gap="sm" wrap="nowrap">
        <Avatar src={agent.avatar_url ?? null} name={agent.name} size={44} alt="" />
        <div>
          <Text fw={600}>{t("plan.offered", { name: agent.name })}</Text>
          {why.place ? (
            <Text size="sm" c="dimmed">
              {t("plan.place", { place: why.place })}
            </Text>
          ) : null}
        </div>
      </Group>
    );
  }
  if (plan.outcome === "queued" && queue) {
    return (
      <Alert
        color="calm"
        variant="light"
        icon={<IconClock size={18} aria-hidden />}
        title={t("plan.queued")}
      >
        {t("plan.queue", { position: queue.position, wait: queue.estimated_wait_s })}
      </Alert>
    );
  }
  return (
    <Alert
      color="ring"
      variant="light"
      icon={<IconPhoneOff size={18} aria-hidden />}
      title={t("plan.fell_back")}
    >
      {fallback ? (
        <Stack gap={4}>
          <Text size="sm">{t(`fallback.${fallback.reason}`)}</Text>
          <Text size="sm">{t("plan.message", { message: fallback.message })}</Text>
        </Stack>
      ) : null}
    </Alert>
  );
}

/** A stage with the name of what it is about, where whoever looks may know it. */
function StageName({ stage }: { stage: Stage }) {
  const { t } = useTranslation("console");
  const api = useApi();
  const session = useSession();
  const agents = useAgentNames();
  const rules = useQuery({ ...kindQuery(api, "rules"), enabled: may(session, "admin_custom_rules") });
  const teams = useQuery({
    queryKey: ["console", "teams", "names"],
    queryFn: async () => (await answered(api.GET("/v1/teams", { params: { query: { limit: 200 } } }))).data,
  });
  const poolId = stage.pool?.split(":")[1];
  const name =
    rules.data?.find((each) => stage.name === "custom_rule" && each.id === poolId)?.name ??
    teams.data?.find((each) => stage.name === "team" && each.id === poolId)?.name ??
    (stage.agent_id ? agents.get(stage.agent_id) : undefined) ??
    stage.agent_id ??
    poolId;
  return (
    <Text size="sm" fw={500}>
      {t(`stage.${stage.name}`)}
      {name && stage.pool !== "all" ? `: ${name}` : ""}
    </Text>
  );
}

function PassedOver({ plan }: { plan: RoutePreview }) {
  const { t } = useTranslation("console");
  const names = useAgentNames();
  const passed = plan.why.passed_over ?? [];
  if (passed.length === 0) return null;
  const more = (plan.why.passed_over_count ?? passed.length) - passed.length;
  return (
    <Stack gap="xs">
      <Text fw={500} size="sm">
        {t("plan.passed_over")}
      </Text>
      <List size="sm" listStyleType="none" withPadding={false} spacing={4}>
        {passed.map(({ agent_id, reason }) => (
          <List.Item key={agent_id}>
            <Group gap="xs">
              {names.get(agent_id) ?? agent_id}
              <Badge variant="default" size="sm">
                {t(`passed_over.${reason}`)}
              </Badge>
            </Group>
          </List.Item>
        ))}
      </List>
      {more > 0 ? <Text size="sm">{t("and_more", { count: more })}</Text> : null}
    </Stack>
  );
}
