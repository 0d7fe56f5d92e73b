// All agents, with what they are doing.

import { Avatar, Badge, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { createLazyRoute } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useApi } from "../app/needs.ts";
import { rosterQuery } from "../wall/roster.ts";
import { KindList } from "./kind_list.tsx";

export const listLazy = createLazyRoute("/shell/console/agents")({ component: AgentsPage });

/** How often the list asks who is there now. */
const ROSTER_REFETCH_MS = 15_000;

function AgentsPage() {
  const { t } = useTranslation("console");
  const roster = useQuery({ ...rosterQuery(useApi()), refetchInterval: ROSTER_REFETCH_MS });
  const seats = new Map((roster.data ?? []).map((each) => [each.id, each]));
  return (
    <KindList
      kind="agents"
      textOf={({ id, name, email, profile }) => `${id} ${name} ${email} ${profile}`}
      columns={[
        {
          name: "name",
          show: ({ name, avatar_url }) => (
            <Group gap="sm" wrap="nowrap" component="span">
              <Avatar src={avatar_url ?? null} name={name} size={28} alt="" component="span" />
              {name}
            </Group>
          ),
        },
        {
          name: "state",
          show: ({ id, live_chat }) => {
            const seat = seats.get(id);
            if (!live_chat || !seat) return <Badge variant="default">{t("agents.no_chat")}</Badge>;
            return (
              <Badge variant="light" color={seat.available ? "calm" : "gray"}>
                {seat.available ? t("agents.available") : t("agents.away")}
              </Badge>
            );
          },
        },
        {
          name: "load",
          show: ({ id, capacity }) => (
            <Text size="sm" component="span">
              {t("agents.load", { load: seats.get(id)?.load ?? 0, capacity })}
            </Text>
          ),
        },
        { name: "profile", show: ({ profile }) => profile, isSecondary: true },
        { name: "email", show: ({ email }) => email, isSecondary: true },
      ]}
    />
  );
}
