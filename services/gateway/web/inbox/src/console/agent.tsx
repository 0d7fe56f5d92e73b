// One agent: who they are, when they are there, how much they take, how they are told; and their way in.

import {
  Button,
  Group,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Switch,
  Text,
  TextInput,
} from "@mantine/core";
import { answered } from "@rondo/client";
import { IconLink } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { createLazyRoute, useParams } from "@tanstack/react-router";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { useApi, useSession } from "../app/needs.ts";
import { may } from "../session/session.ts";
import {
  type AgentForm,
  agentBody,
  agentForm,
  CAPACITY_MAX,
  newAgent,
  type ScheduleMode,
  wrongFields,
} from "./agent_form.ts";
import { keys } from "./conditions.ts";
import { type Editing, Editor } from "./editor.tsx";
import { kindQuery } from "./kinds.ts";
import { useNotices } from "./notice.ts";
import { TimeZoneInput } from "./people.tsx";
import { officeWeek } from "./schedule.ts";
import { Copyable } from "./secret.tsx";
import { Card } from "./section.tsx";
import { WeekEditor } from "./week_editor.tsx";

export const newLazy = createLazyRoute("/shell/console/agents/new")({
  component: () => <AgentPage id={null} />,
});
export const editLazy = createLazyRoute("/shell/console/agents/edit/$id")({ component: EditPage });

function EditPage() {
  const { id } = useParams({ from: "/shell/console/agents/edit/$id" });
  return <AgentPage key={id} id={id} />;
}

const DEFAULT_PROFILES = [
  "live_agent",
  "sales_admin",
  "marketing_admin",
  "marketing_user",
  "calendar_agent",
];

function AgentPage({ id }: { id: string | null }) {
  const { t } = useTranslation("console");
  const api = useApi();
  const session = useSession();
  const nextKey = useRef(keys()).current;
  const profiles = useQuery({ ...kindQuery(api, "profiles"), enabled: may(session, "admin_security") });
  const editing: Editing<"agents", AgentForm> = {
    kind: "agents",
    blank: () => newAgent(Intl.DateTimeFormat().resolvedOptions().timeZone),
    toForm: (agent) => agentForm(agent, nextKey),
    toBody: agentBody,
    nameOf: ({ name }) => name,
    check: (form) => Object.fromEntries(wrongFields(form).map((each) => [each, t(`agents.wrong.${each}`)])),
  };
  return (
    <Editor editing={editing} id={id} beside={({ shown }) => <SignInLink agentId={shown.id} />}>
      {(form, entry) => {
        const known = profiles.data?.map((each) => ({ value: each.id, label: each.name }));
        const options = known ?? [...new Set([...DEFAULT_PROFILES, form.values.profile])];
        return (
          <>
            <Card title={t("agents.who")}>
              <TextInput label={t("agents.fields.name.label")} required {...form.getInputProps("name")} />
              <TextInput
                label={t("agents.fields.email.label")}
                description={t("agents.fields.email.help")}
                type="email"
                required
                {...form.getInputProps("email")}
              />
              <TextInput
                label={t("agents.fields.avatar_url.label")}
                description={t("agents.fields.avatar_url.help")}
                type="url"
                {...form.getInputProps("avatar_url")}
              />
              <Select
                label={t("agents.fields.profile.label")}
                description={t("agents.fields.profile.help")}
                data={options}
                allowDeselect={false}
                {...form.getInputProps("profile")}
              />
            </Card>
            <Card title={t("agents.chats")}>
              <Switch
                label={t("agents.fields.live_chat.label")}
                description={t("agents.fields.live_chat.help")}
                {...form.getInputProps("live_chat", { type: "checkbox" })}
              />
              <NumberInput
                label={t("agents.fields.capacity.label")}
                description={t("agents.fields.capacity.help")}
                placeholder={t("agents.fields.capacity.placeholder", {
                  count: entry?.shown.own_capacity === null ? entry.shown.capacity : undefined,
                })}
                min={1}
                max={CAPACITY_MAX}
                allowDecimal={false}
                maw="16rem"
                {...form.getInputProps("capacity")}
              />
            </Card>
            <Card title={t("agents.fields.schedule.label")} about={t("agents.fields.schedule.help")}>
              <TimeZoneInput
                label={t("agents.fields.time_zone.label")}
                description={t("agents.fields.time_zone.help")}
                isClearable
                {...form.getInputProps("time_zone")}
                value={form.values.time_zone}
              />
              <SegmentedControl
                aria-label={t("agents.fields.mode.label")}
                data={(["always", "week", "never"] as const).map((value) => ({
                  value,
                  label: t(`agents.fields.mode.${value}`),
                }))}
                value={form.values.mode}
                onChange={(mode) => {
                  const isEmpty = Object.values(form.values.schedule).every((day) => day.length === 0);
                  if (mode === "week" && isEmpty) form.setFieldValue("schedule", officeWeek(nextKey));
                  form.setFieldValue("mode", mode as ScheduleMode);
                }}
              />
              {form.values.mode === "week" ? (
                <WeekEditor
                  week={form.values.schedule}
                  nextKey={nextKey}
                  onChange={(week) => form.setFieldValue("schedule", week)}
                />
              ) : (
                <Text size="sm" c="dimmed">
                  {t(`agents.mode_words.${form.values.mode}`)}
                </Text>
              )}
              {form.errors.schedule ? (
                <Text size="sm" className="problem-text" role="alert">
                  {form.errors.schedule}
                </Text>
              ) : null}
            </Card>
            <Card title={t("agents.told")} about={t("agents.told_about")}>
              <Switch
                label={t("agents.fields.sound.label")}
                {...form.getInputProps("sound", { type: "checkbox" })}
              />
              <Switch
                label={t("agents.fields.web_push.label")}
                {...form.getInputProps("web_push", { type: "checkbox" })}
              />
              <Switch
                label={t("agents.fields.email_alerts.label")}
                {...form.getInputProps("email_alerts", { type: "checkbox" })}
              />
            </Card>
          </>
        );
      }}
    </Editor>
  );
}

/** A link that signs the agent in once, to be handed over. */
function SignInLink({ agentId }: { agentId: string }) {
  const { t, i18n } = useTranslation("console");
  const api = useApi();
  const notices = useNotices();
  const link = useMutation({
    mutationFn: () =>
      answered(
        api.POST("/v1/agents/{agent_id}/sign_in_links", {
          params: { path: { agent_id: agentId } },
          body: { ttl_s: 3600 },
        }),
      ),
    onError: notices.failed,
  });
  return (
    <Card title={t("sign_in_link.title")} about={t("sign_in_link.about")}>
      <Group>
        <Button
          variant="default"
          leftSection={<IconLink size={18} aria-hidden />}
          loading={link.isPending}
          onClick={() => link.mutate()}
        >
          {t("sign_in_link.make")}
        </Button>
      </Group>
      {link.data ? (
        <Stack gap="xs">
          <Copyable text={link.data.url} label={t("sign_in_link.title")} />
          <Text size="sm" c="dimmed">
            {t("sign_in_link.until", {
              time: new Intl.DateTimeFormat(i18n.language, { timeStyle: "short" }).format(
                new Date(link.data.expires_at),
              ),
            })}
          </Text>
        </Stack>
      ) : null}
    </Card>
  );
}
