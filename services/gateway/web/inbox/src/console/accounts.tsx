// Target accounts: whose visitors go to which owner first.

import {
  Alert,
  Button,
  FileButton,
  Group,
  List,
  Modal,
  Stack,
  TagsInput,
  Text,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { answered } from "@rondo/client";
import { IconFileUpload, IconUpload } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { createLazyRoute, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "../app/needs.ts";
import { problemText } from "../app/problem.ts";
import { type Editing, Editor } from "./editor.tsx";
import { KindList } from "./kind_list.tsx";
import { AgentInput, useAgentNames } from "./people.tsx";
import { Card } from "./section.tsx";

export const listLazy = createLazyRoute("/shell/console/accounts")({ component: AccountsPage });
export const newLazy = createLazyRoute("/shell/console/accounts/new")({
  component: () => <AccountPage id={null} />,
});
export const editLazy = createLazyRoute("/shell/console/accounts/edit/$id")({ component: EditPage });

const REJECTED_SHOWN_MAX = 200;

function AccountsPage() {
  const { t } = useTranslation("console");
  const names = useAgentNames();
  const [isImporting, importing] = useDisclosure(false);
  return (
    <>
      <KindList
        kind="accounts"
        textOf={({ company, domains, owner_id }) =>
          `${company} ${domains.join(" ")} ${names.get(owner_id) ?? owner_id}`
        }
        columns={[
          { name: "company", show: ({ company }) => company },
          { name: "owner_id", show: ({ owner_id }) => names.get(owner_id) ?? owner_id },
          { name: "domains", show: ({ domains }) => domains.join(", ") || "–", isSecondary: true },
        ]}
        actions={
          <Button
            variant="default"
            leftSection={<IconFileUpload size={18} aria-hidden />}
            onClick={importing.open}
          >
            {t("import.open")}
          </Button>
        }
      />
      <Modal
        opened={isImporting}
        onClose={importing.close}
        title={t("import.open")}
        size="lg"
        closeButtonProps={{ "aria-label": t("close") }}
      >
        <AccountImport />
      </Modal>
    </>
  );
}

/** Takes a file or typed lines, and says which of them were not taken and why. */
function AccountImport() {
  const { t } = useTranslation("console");
  const { t: tApp } = useTranslation("app");
  const api = useApi();
  const queryClient = useQueryClient();
  const [text, setText] = useState("company,domain,owner\n");
  const [fileName, setFileName] = useState<string | null>(null);
  const taking = useMutation({
    mutationFn: (csv: string) =>
      answered(
        api.POST("/v1/accounts/import", {
          body: csv as never,
          bodySerializer: (body: unknown) => body as string,
          headers: { "Content-Type": "text/csv" },
        }),
      ),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["console", "accounts"] }),
  });
  const report = taking.data;
  return (
    <Stack>
      <Text size="sm">{t("import.about")}</Text>
      <Textarea
        label={t("import.lines")}
        value={text}
        autosize
        minRows={5}
        maxRows={14}
        classNames={{ input: "monospace" }}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setFileName(null);
        }}
      />
      <Group>
        <FileButton
          accept="text/csv,.csv,text/plain"
          onChange={async (file) => {
            if (!file) return;
            setText(await file.text());
            setFileName(file.name);
          }}
        >
          {(props) => (
            <Button {...props} variant="default" leftSection={<IconUpload size={18} aria-hidden />}>
              {t("import.file")}
            </Button>
          )}
        </FileButton>
        <Text size="sm" c="dimmed">
          {fileName}
        </Text>
        <Button ms="auto" loading={taking.isPending} onClick={() => taking.mutate(text)}>
          {t("import.send")}
        </Button>
      </Group>
      {taking.error ? (
        <Alert color="red" variant="light" role="alert">
          {problemText(tApp, taking.error)} {taking.error.message}
        </Alert>
      ) : null}
      {report ? (
        <Alert
          color={report.rejected.length > 0 ? "ring" : "calm"}
          variant="light"
          role="status"
          title={t("import.taken", { count: report.imported })}
        >
          {report.rejected.length > 0 ? (
            <Stack gap="xs">
              <Text size="sm">{t("import.rejected", { count: report.rejected.length })}</Text>
              <List size="sm" listStyleType="none" withPadding={false}>
                {report.rejected.slice(0, REJECTED_SHOWN_MAX).map(({ line, reason }) => (
                  <List.Item key={`${line} ${reason}`}>
                    {t("import.line", { line })} {reason}
                  </List.Item>
                ))}
              </List>
              {report.rejected.length > REJECTED_SHOWN_MAX ? (
                <Text size="sm">
                  {t("and_more", { count: report.rejected.length - REJECTED_SHOWN_MAX })}
                </Text>
              ) : null}
            </Stack>
          ) : null}
        </Alert>
      ) : null}
    </Stack>
  );
}

function EditPage() {
  const { id } = useParams({ from: "/shell/console/accounts/edit/$id" });
  return <AccountPage key={id} id={id} />;
}

type AccountForm = { company: string; domains: string[]; owner_id: string | null };

function AccountPage({ id }: { id: string | null }) {
  const { t } = useTranslation("console");
  const editing: Editing<"accounts", AccountForm> = {
    kind: "accounts",
    blank: () => ({ company: "", domains: [], owner_id: null }),
    toForm: ({ company, domains, owner_id }) => ({ company, domains: [...domains], owner_id }),
    toBody: ({ company, domains, owner_id }) => ({
      company: company.trim(),
      domains,
      owner_id: owner_id ?? "",
    }),
    nameOf: ({ company }) => company,
    check: ({ company, owner_id }) => ({
      ...(company.trim() === "" ? { company: t("name_missing") } : {}),
      ...(owner_id === null ? { owner_id: t("accounts.owner_missing") } : {}),
    }),
  };
  return (
    <Editor editing={editing} id={id}>
      {(form) => (
        <Card>
          <TextInput
            label={t("accounts.fields.company.label")}
            required
            {...form.getInputProps("company")}
          />
          <TagsInput
            label={t("accounts.fields.domains.label")}
            description={t("accounts.fields.domains.help")}
            splitChars={[",", " ", ";"]}
            acceptValueOnBlur
            {...form.getInputProps("domains")}
          />
          <AgentInput
            label={t("accounts.fields.owner_id.label")}
            description={t("accounts.fields.owner_id.help")}
            {...form.getInputProps("owner_id")}
            value={form.values.owner_id}
          />
        </Card>
      )}
    </Editor>
  );
}
