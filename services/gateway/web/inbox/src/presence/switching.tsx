// The switch of the availability: loaded when it is first asked for.

import "../app/more_styles.ts";
import { SegmentedControl, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { problemText } from "../app/problem.ts";
import { useDesk, useShown } from "../desk/use_desk.ts";

/** What holds now, and what else there is. */
export default function Switching({ text }: { text: string }) {
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
