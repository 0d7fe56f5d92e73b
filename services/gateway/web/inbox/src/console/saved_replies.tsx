// Saved replies: texts that agents insert by a shortcut.

import { Textarea, TextInput } from "@mantine/core";
import { createLazyRoute, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { type Editing, Editor } from "./editor.tsx";
import { KindList } from "./kind_list.tsx";
import { Card } from "./section.tsx";

export const listLazy = createLazyRoute("/shell/console/saved_replies")({ component: RepliesPage });
export const newLazy = createLazyRoute("/shell/console/saved_replies/new")({
  component: () => <ReplyPage id={null} />,
});
export const editLazy = createLazyRoute("/shell/console/saved_replies/edit/$id")({ component: EditPage });

const EXCERPT_LENGTH = 80;

function RepliesPage() {
  return (
    <KindList
      kind="saved_replies"
      textOf={({ shortcut, title, text }) => `${shortcut} ${title} ${text}`}
      columns={[
        { name: "title", show: ({ title }) => title },
        { name: "shortcut", show: ({ shortcut }) => `/${shortcut}` },
        {
          name: "text",
          isSecondary: true,
          show: ({ text }) => (text.length > EXCERPT_LENGTH ? `${text.slice(0, EXCERPT_LENGTH)}…` : text),
        },
      ]}
    />
  );
}

function EditPage() {
  const { id } = useParams({ from: "/shell/console/saved_replies/edit/$id" });
  return <ReplyPage key={id} id={id} />;
}

type ReplyForm = { shortcut: string; title: string; text: string };

function ReplyPage({ id }: { id: string | null }) {
  const { t } = useTranslation("console");
  const editing: Editing<"saved_replies", ReplyForm> = {
    kind: "saved_replies",
    blank: () => ({ shortcut: "", title: "", text: "" }),
    toForm: ({ shortcut, title, text }) => ({ shortcut, title, text }),
    toBody: ({ shortcut, title, text }) => ({
      shortcut: shortcut.trim().replace(/^\//, ""),
      title: title.trim(),
      text,
    }),
    nameOf: ({ title, shortcut }) => title || shortcut,
    check: ({ shortcut, title, text }) => ({
      ...(title.trim() === "" ? { title: t("name_missing") } : {}),
      ...(shortcut.trim() === "" ? { shortcut: t("saved_replies.shortcut_missing") } : {}),
      ...(text.trim() === "" ? { text: t("saved_replies.text_missing") } : {}),
    }),
  };
  return (
    <Editor editing={editing} id={id}>
      {(form) => (
        <Card>
          <TextInput
            label={t("saved_replies.fields.title.label")}
            required
            {...form.getInputProps("title")}
          />
          <TextInput
            label={t("saved_replies.fields.shortcut.label")}
            description={t("saved_replies.fields.shortcut.help")}
            leftSection="/"
            required
            {...form.getInputProps("shortcut")}
          />
          <Textarea
            label={t("saved_replies.fields.text.label")}
            autosize
            minRows={4}
            maxRows={16}
            maxLength={4000}
            required
            {...form.getInputProps("text")}
          />
        </Card>
      )}
    </Editor>
  );
}
