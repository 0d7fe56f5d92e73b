// API keys: what a website's backend calls with.

import { Button, Group, Modal, Stack, Table, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type Api, answered, type components } from "@rondo/client";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createLazyRoute } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "../app/needs.ts";
import { Empty, Loading, Problem } from "../app/states.tsx";
import { Confirmed } from "./confirmed.tsx";
import classes from "./console.module.css";
import { useNotices } from "./notice.ts";
import { Secret } from "./secret.tsx";
import { SectionPage } from "./section.tsx";

export const lazyRoute = createLazyRoute("/shell/console/api_keys")({ component: ApiKeysPage });

type ApiKey = components["schemas"]["ApiKey"];

function keysQuery(api: Api) {
  return queryOptions({
    queryKey: ["console", "api_keys"],
    queryFn: async (): Promise<ApiKey[]> =>
      (await answered(api.GET("/v1/api_keys", { params: { query: { limit: 200 } } }))).data,
  });
}

function ApiKeysPage() {
  const { t, i18n } = useTranslation("console");
  const api = useApi();
  const notices = useNotices();
  const queryClient = useQueryClient();
  const apiKeys = useQuery(keysQuery(api));
  const [secret, setSecret] = useState<string | null>(null);
  const [isNaming, naming] = useDisclosure(false);
  const refetch = () => queryClient.invalidateQueries({ queryKey: keysQuery(api).queryKey });
  const removal = useMutation({
    mutationFn: (key_id: string) =>
      answered(api.DELETE("/v1/api_keys/{key_id}", { params: { path: { key_id } } })),
    onSuccess: async () => {
      notices.done(t("deleted"));
      await refetch();
    },
    onError: notices.failed,
  });
  const day = new Intl.DateTimeFormat(i18n.language, { dateStyle: "medium" });
  return (
    <SectionPage
      title={t("sections.api_keys")}
      about={t("api_keys.about")}
      actions={
        <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={naming.open}>
          {t("api_keys.new")}
        </Button>
      }
    >
      {apiKeys.error ? <Problem error={apiKeys.error} onRetry={() => void apiKeys.refetch()} /> : null}
      {apiKeys.isPending ? <Loading /> : null}
      {apiKeys.data?.length === 0 ? <Empty title={t("api_keys.none")} /> : null}
      {apiKeys.data && apiKeys.data.length > 0 ? (
        <div className={classes.table}>
          <Table verticalSpacing="sm" aria-label={t("sections.api_keys")}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("api_keys.columns.name")}</Table.Th>
                <Table.Th>{t("api_keys.columns.created_at")}</Table.Th>
                <Table.Th>{t("actions")}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {apiKeys.data.map(({ id, name, created_at }) => (
                <Table.Tr key={id}>
                  <Table.Td>
                    {name ?? t("api_keys.unnamed")}
                    <Text size="xs" c="dimmed">
                      {id}
                    </Text>
                  </Table.Td>
                  <Table.Td>{day.format(new Date(created_at))}</Table.Td>
                  <Table.Td>
                    <Confirmed
                      label={t("delete")}
                      accessibleLabel={t("api_keys.delete", { name: name ?? id })}
                      words={t("api_keys.delete_words", { name: name ?? id })}
                      icon={<IconTrash size={16} aria-hidden />}
                      onConfirm={() => removal.mutate(id)}
                    />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      ) : null}
      <NewKey
        isOpen={isNaming}
        onClose={naming.close}
        onMade={async (key) => {
          naming.close();
          setSecret(key);
          await refetch();
        }}
      />
      <Secret
        title={t("api_keys.made")}
        words={t("api_keys.made_words")}
        secret={secret}
        onClose={() => setSecret(null)}
      />
    </SectionPage>
  );
}

interface NewKeyProps {
  isOpen: boolean;
  onClose(): void;
  onMade(key: string): Promise<void>;
}

function NewKey({ isOpen, onClose, onMade }: NewKeyProps) {
  const { t } = useTranslation("console");
  const api = useApi();
  const notices = useNotices();
  const [name, setName] = useState("");
  const making = useMutation({
    mutationFn: () => answered(api.POST("/v1/api_keys", { body: { name: name.trim() || null } })),
    onSuccess: async ({ api_key }) => {
      setName("");
      await onMade(api_key);
    },
    onError: notices.failed,
  });
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t("api_keys.new")}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          making.mutate();
        }}
      >
        <Stack>
          <TextInput
            label={t("api_keys.name")}
            description={t("api_keys.name_help")}
            value={name}
            maxLength={200}
            data-autofocus
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button type="submit" loading={making.isPending}>
              {t("api_keys.make")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
