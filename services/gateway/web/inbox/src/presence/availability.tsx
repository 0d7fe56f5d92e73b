// Whether the agent is rung: the switch, what it does and until when, and how busy they are.

import { Popover, SegmentedControl, Stack, Text, UnstyledButton } from "@mantine/core";
import { answered } from "@rondo/client";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi, useSession } from "../app/needs.ts";
import { useNow } from "../app/now.ts";
import { problemText } from "../app/problem.ts";
import { useDesk, useShown } from "../desk/use_desk.ts";
import { availabilityText } from "../words/availability.ts";
import { useWords } from "../words/use_words.ts";
import classes from "./presence.module.css";

/** The state in words; pressed, the switch. */
export function AvailabilityControl() {
  const { t } = useTranslation("inbox");
  const words = useWords();
  const now = useNow(30_000);
  const [isOpen, setOpen] = useState(false);
  const availability = useShown(({ desk }) => desk.availability);
  if (!availability) return null;
  const text = availabilityText(t, availability, { ...words, now });
  return (
    <Popover
      opened={isOpen}
      onChange={setOpen}
      position="bottom-end"
      width={300}
      shadow="md"
      trapFocus
      withinPortal
    >
      <Popover.Target>
        <UnstyledButton
          className={classes.availability}
          data-available={availability.available || undefined}
          aria-label={text}
          aria-expanded={isOpen}
          onClick={() => setOpen((before) => !before)}
        >
          <span className={classes.dot} aria-hidden />
          <span className={classes.words}>{text}</span>
          <LoadText />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Switching text={text} />
      </Popover.Dropdown>
    </Popover>
  );
}

function Switching({ text }: { text: string }) {
  const { t } = useTranslation("inbox");
  const { t: tApp } = useTranslation("app");
  const desk = useDesk();
  const availability = useShown((shown) => shown.desk.availability);
  const change = useMutation({
    mutationFn: (available: boolean | null) => desk.switchAvailability(available),
  });
  const isByYou = availability?.source === "toggle";
  const value = !isByYou ? "schedule" : availability?.available ? "available" : "away";
  return (
    <Stack gap="sm">
      <Text fw={600} size="sm">
        {text}
      </Text>
      <SegmentedControl
        fullWidth
        size="sm"
        aria-label={t("availability.label")}
        disabled={change.isPending}
        value={value}
        onChange={(chosen) => change.mutate(chosen === "schedule" ? null : chosen === "available")}
        data={[
          { value: "available", label: t("availability.available") },
          { value: "away", label: t("availability.away") },
          { value: "schedule", label: t("availability.schedule") },
        ]}
      />
      <Text size="xs" c="dimmed">
        {t(`availability.help_${value}`)}
      </Text>
      {change.error ? (
        <Text size="sm" role="alert" className="problem-text">
          {problemText(tApp, change.error)}
        </Text>
      ) : null}
      <Text size="xs" c="dimmed">
        {t("availability.present")}
      </Text>
    </Stack>
  );
}

/** `3 of 10`: what the agent has and what rings, of what they may have. */
function LoadText() {
  const { t } = useTranslation("inbox");
  const load = useShown(({ desk }) => desk.chats.length + desk.rings.length);
  const capacity = useCapacity();
  return (
    <span className={classes.load}>
      {capacity === null ? t("load.only", { count: load }) : t("load.of", { load, capacity })}
    </span>
  );
}

function useCapacity(): number | null {
  const api = useApi();
  const { agent } = useSession();
  const roster = useQuery({
    queryKey: ["roster"],
    queryFn: () => answered(api.GET("/v1/roster")),
    staleTime: 60_000,
  });
  return roster.data?.data.find(({ id }) => id === agent.id)?.capacity ?? null;
}
