// Handing a chat over: to a colleague who is there, or to a team.

import "../app/more_styles.ts";
import { Avatar, Modal, Stack, Text, TextInput, UnstyledButton } from "@mantine/core";
import { answered, type Colleague } from "@rondo/client";
import { IconUsers } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi, useSession } from "../app/needs.ts";
import { problemText } from "../app/problem.ts";
import { Loading, Problem } from "../app/states.tsx";
import { useDesk } from "../desk/use_desk.ts";
import { colleaguesFor } from "./colleagues.ts";
import classes from "./transfer.module.css";

type Target = { agent_id: string } | { team_id: string };

interface TransferProps {
  conversationId: string;
  onClose: () => void;
}

/** The dialog. The chat stays with its agent until somebody has accepted it. */
export default function TransferDialog({ conversationId, onClose }: TransferProps) {
  const { t } = useTranslation("inbox");
  const { t: tApp } = useTranslation("app");
  const desk = useDesk();
  const { agent: me } = useSession();
  const [wanted, setWanted] = useState("");
  const { roster, teams } = useTargets();
  const transfer = useMutation({
    mutationFn: (to: Target) => desk.transfer(conversationId, to),
    onSuccess: onClose,
  });
  const colleagues = colleaguesFor(roster.data?.data ?? [], me.id, wanted);
  const fitting = (teams.data?.data ?? []).filter(({ name }) =>
    name.toLocaleLowerCase().includes(wanted.toLocaleLowerCase()),
  );
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("transfer.title")}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          {t("transfer.help")}
        </Text>
        <TextInput
          data-autofocus
          aria-label={t("transfer.search")}
          placeholder={t("transfer.search")}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
        />
        {transfer.error ? (
          <Text size="sm" role="alert" className="problem-text">
            {problemText(tApp, transfer.error)}
          </Text>
        ) : null}
        {roster.isPending ? <Loading /> : null}
        {roster.error ? <Problem error={roster.error} onRetry={() => void roster.refetch()} /> : null}
        <ul className={classes.targets} aria-label={t("transfer.colleagues")}>
          {colleagues.map((colleague) => (
            <li key={colleague.id}>
              <UnstyledButton
                className={classes.target}
                disabled={transfer.isPending || !canTake(colleague)}
                onClick={() => transfer.mutate({ agent_id: colleague.id })}
              >
                <Avatar src={colleague.avatar_url} name={colleague.name} size={34} alt="" />
                <span>{colleague.name}</span>
                <span className={classes.state}>
                  {t(stateOf(colleague))} ·{" "}
                  {t("load.of", { load: colleague.load, capacity: colleague.capacity })}
                </span>
              </UnstyledButton>
            </li>
          ))}
        </ul>
        {fitting.length > 0 ? (
          <>
            <Text size="sm" fw={600}>
              {t("transfer.teams")}
            </Text>
            <ul className={classes.targets} aria-label={t("transfer.teams")}>
              {fitting.map((team) => (
                <li key={team.id}>
                  <UnstyledButton
                    className={classes.target}
                    disabled={transfer.isPending}
                    onClick={() => transfer.mutate({ team_id: team.id })}
                  >
                    <IconUsers size={22} aria-hidden />
                    <span>{team.name}</span>
                  </UnstyledButton>
                </li>
              ))}
            </ul>
          </>
        ) : null}
      </Stack>
    </Modal>
  );
}

function useTargets() {
  const api = useApi();
  const roster = useQuery({
    queryKey: ["roster"],
    queryFn: () => answered(api.GET("/v1/roster")),
    refetchOnMount: "always",
    refetchInterval: 10_000,
  });
  const teams = useQuery({
    queryKey: ["teams"],
    queryFn: () => answered(api.GET("/v1/teams", { params: { query: { limit: 200 } } })),
    retry: false,
  });
  return { roster, teams };
}

function canTake({ available, load, capacity }: Colleague): boolean {
  return available && load < capacity;
}

function stateOf({ available, present, load, capacity }: Colleague) {
  if (!available) return "transfer.away";
  if (load >= capacity) return "transfer.full";
  return present ? "transfer.there" : "transfer.not_present";
}
