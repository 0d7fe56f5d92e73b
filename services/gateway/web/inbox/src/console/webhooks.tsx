// Webhook endpoints: where events are sent, and what became of each.

import { Badge, Checkbox, Group, SimpleGrid, Switch, TextInput } from "@mantine/core";
import { answered } from "@rondo/client";
import { IconKey } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { createLazyRoute, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "../app/needs.ts";
import { Confirmed } from "./confirmed.tsx";
import { Deliveries } from "./deliveries.tsx";
import { type Editing, Editor } from "./editor.tsx";
import { EVENT_TYPES, EVERY_TYPE } from "./event_types.ts";
import { KindList } from "./kind_list.tsx";
import type { Shown } from "./kinds.ts";
import { useNotices } from "./notice.ts";
import { Secret } from "./secret.tsx";
import { Card } from "./section.tsx";

export const listLazy = createLazyRoute("/shell/console/webhooks")({ component: WebhooksPage });
export const newLazy = createLazyRoute("/shell/console/webhooks/new")({
  component: () => <WebhookPage id={null} />,
});
export const editLazy = createLazyRoute("/shell/console/webhooks/edit/$id")({ component: EditPage });

function WebhooksPage() {
  const { t } = useTranslation("console");
  return (
    <KindList
      kind="webhooks"
      textOf={({ id, url }) => `${id} ${url}`}
      columns={[
        { name: "id", show: ({ id }) => id },
        { name: "state", show: (webhook) => <WebhookState webhook={webhook} /> },
        { name: "url", show: ({ url }) => url, isSecondary: true },
        {
          name: "event_types",
          isSecondary: true,
          show: ({ event_types }) =>
            event_types.includes(EVERY_TYPE) ? t("webhooks.every") : event_types.join(", "),
        },
      ]}
    />
  );
}

function WebhookState({ webhook }: { webhook: Shown<"webhooks"> }) {
  const { t } = useTranslation("console");
  if (webhook.disabled_by_failure)
    return (
      <Badge color="red" variant="light">
        {t("webhooks.given_up")}
      </Badge>
    );
  if (!webhook.enabled) return <Badge variant="default">{t("webhooks.off")}</Badge>;
  if (webhook.failing_since)
    return (
      <Badge color="ring" variant="light">
        {t("webhooks.failing")}
      </Badge>
    );
  return (
    <Badge color="calm" variant="light">
      {t("webhooks.on")}
    </Badge>
  );
}

function EditPage() {
  const { id } = useParams({ from: "/shell/console/webhooks/edit/$id" });
  return <WebhookPage key={id} id={id} />;
}

type WebhookForm = {
  id_name: string;
  url: string;
  isEvery: boolean;
  event_types: string[];
  enabled: boolean;
};

function WebhookPage({ id }: { id: string | null }) {
  const { t } = useTranslation("console");
  const navigate = useNavigate();
  const [given, setGiven] = useState<{ id: string; secret: string } | null>(null);
  const editing: Editing<"webhooks", WebhookForm> = {
    kind: "webhooks",
    blank: () => ({ id_name: "", url: "https://", isEvery: true, event_types: [], enabled: true }),
    toForm: ({ id: name, url, event_types, enabled }) => ({
      id_name: name,
      url,
      isEvery: event_types.includes(EVERY_TYPE),
      event_types: event_types.filter((each) => each !== EVERY_TYPE),
      enabled,
    }),
    toBody: ({ url, isEvery, event_types, enabled }) => ({
      url: url.trim(),
      event_types: isEvery ? [EVERY_TYPE] : event_types,
      enabled,
    }),
    nameOf: ({ id_name, url }) => id_name || hostOf(url),
    check: ({ isEvery, event_types }) =>
      isEvery || event_types.length > 0 ? {} : { event_types: t("webhooks.types_missing") },
    onSaved: (saved, isNew) => {
      if (isNew && saved.secret) setGiven({ id: saved.id, secret: saved.secret });
      return isNew && Boolean(saved.secret);
    },
  };
  return (
    <>
      <Editor
        editing={editing}
        id={id}
        beside={({ shown }) => (
          <>
            <Card title={t("webhooks.secret")} about={t("webhooks.secret_about")}>
              <Rotation id={shown.id} onSecret={(secret) => setGiven({ id: shown.id, secret })} />
            </Card>
            {id === null ? null : <Deliveries webhookId={shown.id} />}
          </>
        )}
      >
        {(form, entry) => (
          <>
            <Card>
              {entry ? (
                <Group>
                  <WebhookState webhook={entry.shown} />
                </Group>
              ) : null}
              <TextInput
                label={t("webhooks.fields.url.label")}
                description={t("webhooks.fields.url.help")}
                type="url"
                required
                {...form.getInputProps("url")}
              />
              <Switch
                label={t("webhooks.fields.enabled.label")}
                description={t("webhooks.fields.enabled.help")}
                {...form.getInputProps("enabled", { type: "checkbox" })}
              />
            </Card>
            <Card
              title={t("webhooks.fields.event_types.label")}
              about={t("webhooks.fields.event_types.help")}
            >
              <Switch
                label={t("webhooks.fields.isEvery.label")}
                {...form.getInputProps("isEvery", { type: "checkbox" })}
              />
              {form.values.isEvery ? null : (
                <Checkbox.Group
                  label={t("webhooks.fields.event_types.label")}
                  {...form.getInputProps("event_types")}
                >
                  <SimpleGrid cols={{ base: 1, sm: 2, md: 3 }} mt="sm">
                    {EVENT_TYPES.map((each) => (
                      <Checkbox key={each} value={each} label={each} />
                    ))}
                  </SimpleGrid>
                </Checkbox.Group>
              )}
            </Card>
          </>
        )}
      </Editor>
      <Secret
        title={t("webhooks.secret")}
        words={t("webhooks.secret_words")}
        secret={given?.secret ?? null}
        onClose={() => {
          const made = given?.id;
          setGiven(null);
          if (id === null && made) {
            void navigate({ to: "/console/webhooks/edit/$id", params: { id: made }, ignoreBlocker: true });
          }
        }}
      />
    </>
  );
}

function hostOf(url: string): string {
  try {
    return new URL(url).hostname;
  } catch {
    return "";
  }
}

function Rotation({ id, onSecret }: { id: string; onSecret(secret: string): void }) {
  const { t } = useTranslation("console");
  const api = useApi();
  const notices = useNotices();
  const rotation = useMutation({
    mutationFn: () =>
      answered(
        api.POST("/v1/webhooks/{webhook_id}/rotate_secret", { params: { path: { webhook_id: id } } }),
      ),
    onSuccess: ({ secret }) => onSecret(secret ?? ""),
    onError: notices.failed,
  });
  return (
    <div>
      <Confirmed
        label={t("webhooks.rotate")}
        words={t("webhooks.rotate_words")}
        icon={<IconKey size={18} aria-hidden />}
        isDanger={false}
        isBusy={rotation.isPending}
        onConfirm={() => rotation.mutate()}
      />
    </div>
  );
}
