// What each person chooses for themselves: sound, notifications, language, appearance.

import {
  Button,
  Group,
  Modal,
  SegmentedControl,
  Slider,
  Stack,
  Switch,
  Text,
  useMantineColorScheme,
} from "@mantine/core";
import { answered } from "@rondo/client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import { useApi, useNeeds } from "../app/needs.ts";
import { problemText } from "../app/problem.ts";
import { useChosen } from "../app/surface.tsx";
import { languageFor } from "../i18n/texts.ts";
import type { Ringer } from "../offers/sound.ts";
import { usePush } from "../push/use_push.ts";
import { DIRECTIONS, type Direction, LANGUAGES, type Language, SOUNDS, type Sound } from "./preferences.ts";

interface SettingsProps {
  ringer: Ringer;
  isOpen: boolean;
  onClose: () => void;
}

/** The dialog. Every change holds at once. */
export function Settings({ ringer, isOpen, onClose }: SettingsProps) {
  const { t } = useTranslation("inbox");
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t("settings.title")}
      size="md"
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <Stack gap="lg">
        <SoundSettings ringer={ringer} />
        <NotificationSettings />
        <Appearance />
      </Stack>
    </Modal>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <Stack gap="sm">
        <Text id={id} component="h3" fw={650} size="sm" m={0}>
          {title}
        </Text>
        {children}
      </Stack>
    </section>
  );
}

function SoundSettings({ ringer }: { ringer: Ringer }) {
  const { t } = useTranslation("inbox");
  const { preferences } = useNeeds();
  const { isSoundOn, sound, volume } = useChosen(preferences);
  return (
    <Section title={t("settings.sound")}>
      <Switch
        label={t("settings.sound_on")}
        checked={isSoundOn}
        onChange={(event) => preferences.choose({ isSoundOn: event.currentTarget.checked })}
      />
      <Group gap="sm" wrap="wrap">
        <SegmentedControl
          aria-label={t("settings.sound")}
          value={sound}
          disabled={!isSoundOn}
          onChange={(chosen) => {
            preferences.choose({ sound: chosen as Sound });
            void ringer.test();
          }}
          data={SOUNDS.map((each) => ({ value: each, label: t(`settings.sounds.${each}`) }))}
        />
        <Button variant="default" onClick={() => void ringer.test()} disabled={!isSoundOn}>
          {t("settings.test")}
        </Button>
      </Group>
      <div>
        <Text size="sm">{t("settings.volume")}</Text>
        <Slider
          value={Math.round(volume * 100)}
          onChange={(percent) => preferences.choose({ volume: percent / 100 })}
          disabled={!isSoundOn}
          thumbLabel={t("settings.volume")}
          label={(percent) => `${percent} %`}
        />
      </div>
      <Text size="xs" c="dimmed">
        {t("settings.sound_help")}
      </Text>
    </Section>
  );
}

function NotificationSettings() {
  const { t } = useTranslation("inbox");
  const { t: tApp } = useTranslation("app");
  const { state, change } = usePush();
  const mine = useOwnNotifications();
  const error = change.error ?? mine.error;
  return (
    <Section title={t("settings.notifications")}>
      <Switch
        label={t("settings.push_on")}
        checked={state === "on"}
        disabled={state === "unsupported" || state === "denied" || change.isPending}
        onChange={(event) => change.mutate(event.currentTarget.checked)}
      />
      <Text size="xs" c="dimmed">
        {t(`settings.push_${state ?? "off"}`)}
      </Text>
      <Switch
        label={t("settings.email_on")}
        checked={mine.chosen?.email ?? true}
        disabled={!mine.chosen || mine.isBusy}
        onChange={(event) => mine.choose({ email: event.currentTarget.checked })}
      />
      {error ? (
        <Text size="sm" role="alert" className="problem-text">
          {problemText(tApp, error)}
        </Text>
      ) : null}
    </Section>
  );
}

/** How the agent is told, wherever they are. */
function useOwnNotifications() {
  const api = useApi();
  const queries = useQueryClient();
  const queryKey = ["notifications"];
  const params = { path: { agent_id: "me" } };
  const found = useQuery({
    queryKey,
    queryFn: () => answered(api.GET("/v1/agents/{agent_id}/notifications", { params })),
  });
  const change = useMutation({
    mutationFn: (body: { email: boolean }) =>
      answered(api.PATCH("/v1/agents/{agent_id}/notifications", { params, body: body as never })),
    onSuccess: (chosen) => queries.setQueryData(queryKey, chosen),
  });
  return { chosen: found.data, choose: change.mutate, isBusy: change.isPending, error: change.error };
}

function Appearance() {
  const { t, i18n } = useTranslation("inbox");
  const { preferences } = useNeeds();
  const { language, direction } = useChosen(preferences);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const speak = (chosen: Language | null) => {
    preferences.choose({ language: chosen });
    void i18n.changeLanguage(languageFor(chosen, navigator.languages));
  };
  return (
    <Section title={t("settings.appearance")}>
      <SegmentedControl
        fullWidth
        aria-label={t("settings.language")}
        value={language ?? "auto"}
        onChange={(chosen) => speak(chosen === "auto" ? null : (chosen as Language))}
        data={[
          { value: "auto", label: t("settings.language_auto") },
          ...LANGUAGES.map((each) => ({ value: each, label: t(`settings.languages.${each}`) })),
        ]}
      />
      <SegmentedControl
        fullWidth
        aria-label={t("settings.colours")}
        value={colorScheme}
        onChange={(chosen) => setColorScheme(chosen as "auto" | "light" | "dark")}
        data={(["auto", "light", "dark"] as const).map((each) => ({
          value: each,
          label: t(`settings.schemes.${each}`),
        }))}
      />
      <SegmentedControl
        fullWidth
        aria-label={t("settings.direction")}
        value={direction}
        onChange={(chosen) => preferences.choose({ direction: chosen as Direction })}
        data={DIRECTIONS.map((each) => ({ value: each, label: t(`settings.directions.${each}`) }))}
      />
    </Section>
  );
}
