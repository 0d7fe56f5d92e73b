// One of a kind, to be changed or made: loads, checks, saves, deletes, and settles what others changed.

import { Alert, Button, Stack, Text, TextInput } from "@mantine/core";
import { type UseFormReturnType, useForm } from "@mantine/form";
import { RondoError } from "@rondo/client";
import { IconAlertTriangle, IconDeviceFloppy, IconTrash } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "../app/needs.ts";
import { problemText } from "../app/problem.ts";
import { Loading, Problem } from "../app/states.tsx";
import { Confirmed } from "./confirmed.tsx";
import { Conflict } from "./conflict.tsx";
import classes from "./console.module.css";
import { changedFields, legible } from "./differences.ts";
import {
  type Body,
  deleteEntry,
  entryQuery,
  type Kind,
  kindQuery,
  putEntry,
  readEntry,
  type Shown,
  type Versioned,
} from "./kinds.ts";
import { Leaving } from "./leaving.tsx";
import { freeId, ID } from "./names.ts";
import { useNotices } from "./notice.ts";
import { SectionPage } from "./section.tsx";
import { word } from "./words.ts";

/** Where the lists of kinds are. */
export const LISTS = {
  agents: "/console/agents",
  teams: "/console/teams",
  rules: "/console/rules",
  accounts: "/console/accounts",
  profiles: "/console/profiles",
  webhooks: "/console/webhooks",
  saved_replies: "/console/saved_replies",
} as const satisfies Record<Kind, string>;

/** How a kind is edited. */
export interface Editing<K extends Kind, Form extends Record<string, unknown>> {
  kind: K;
  /** The form of a new one. */
  blank(): Form;
  toForm(shown: Shown<K>): Form;
  toBody(form: Form): Body<K>;
  /** What cannot be sent yet, by field. */
  check?(form: Form): Partial<Record<keyof Form & string, string>>;
  /** What the id of a new one is made of. */
  nameOf(form: Form): string;
  /** A field as it can be read beside another version of it. */
  legible?: Partial<Record<keyof Form & string, (value: never) => string>>;
  /** What an answer to a saved one shows beside the list. True: the editor stays where it is. */
  onSaved?(saved: Shown<K>, isNew: boolean): boolean;
}

interface EditorProps<K extends Kind, Form extends Record<string, unknown>> {
  editing: Editing<K, Form>;
  /** Null: a new one. */
  id: string | null;
  children(form: UseFormReturnType<Form>, entry: Versioned<Shown<K>> | null): ReactNode;
  /** What is beside the form and about one that is there. */
  beside?(entry: Versioned<Shown<K>>): ReactNode;
}

/** The editor of one that is there, once it is known; or of a new one. */
export function Editor<K extends Kind, Form extends Record<string, unknown>>(props: EditorProps<K, Form>) {
  return props.id === null ? <EntryForm {...props} entry={null} /> : <Existing {...props} id={props.id} />;
}

function Existing<K extends Kind, Form extends Record<string, unknown>>(
  props: EditorProps<K, Form> & { id: string },
) {
  const api = useApi();
  const { data, error, refetch } = useQuery(entryQuery(api, props.editing.kind, props.id));
  if (error) return <Problem error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading />;
  return <EntryForm key={props.id} {...props} entry={data as Versioned<Shown<K>>} />;
}

function EntryForm<K extends Kind, Form extends Record<string, unknown>>(
  props: EditorProps<K, Form> & { entry: Versioned<Shown<K>> | null },
) {
  const { editing, id, beside } = props;
  const { kind } = editing;
  const { t } = useTranslation("console");
  const { t: tApp } = useTranslation("app");
  const editor = useEditor(props);
  const { form, conflict, error, isBusy } = editor;
  const name = editing.nameOf(form.values);
  const title = id === null ? word(t, `${kind}.new`) : name || id;
  return (
    <SectionPage title={title}>
      <Link to={LISTS[kind]}>{t("back_to", { list: word(t, `sections.${kind}`) })}</Link>
      <form
        aria-label={title}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void editor.save();
        }}
      >
        <Stack gap="lg">
          {id === null ? (
            <TextInput
              label={t("id.label")}
              description={t("id.help")}
              value={editor.newId}
              error={editor.idError}
              onChange={(event) => editor.chooseId(event.currentTarget.value)}
              maxLength={64}
              required
            />
          ) : null}
          {props.children(form, editor.entry)}
          {conflict ? (
            <Conflict
              differences={changedFields(form.values, conflict.form).map((field) => ({
                label: word(t, `${kind}.fields.${field}.label`),
                theirs: (editing.legible?.[field] ?? legible)(conflict.form[field] as never),
                mine: (editing.legible?.[field] ?? legible)(form.values[field] as never),
              }))}
              isBusy={isBusy}
              onTakeTheirs={editor.takeTheirs}
              onKeepMine={() => void editor.save(conflict.version)}
            />
          ) : null}
          {error ? (
            <Alert
              color="red"
              variant="light"
              role="alert"
              icon={<IconAlertTriangle size={18} aria-hidden />}
            >
              {Object.keys(form.errors).length > 0 ? t("look_at_fields") : problemText(tApp, error)}
              {editor.details.map((each) => (
                <Text key={each} size="sm">
                  {each}
                </Text>
              ))}
            </Alert>
          ) : null}
          <div className={classes.saveBar}>
            <Button type="submit" loading={isBusy} leftSection={<IconDeviceFloppy size={18} aria-hidden />}>
              {t("save")}
            </Button>
            {form.isDirty() ? (
              <Text size="sm" c="dimmed" role="status">
                {t("unsaved")}
              </Text>
            ) : null}
            {id === null ? null : (
              <div className={classes.push}>
                <Confirmed
                  label={t("delete")}
                  words={word(t, `${kind}.delete_words`, { name: name || id })}
                  icon={<IconTrash size={16} aria-hidden />}
                  onConfirm={() => void editor.remove()}
                />
              </div>
            )}
          </div>
        </Stack>
      </form>
      {editor.entry && beside ? beside(editor.entry) : null}
      <Leaving isDirty={editor.isLeavingLossy} />
    </SectionPage>
  );
}

function useEditor<K extends Kind, Form extends Record<string, unknown>>({
  editing,
  id,
  entry: loaded,
}: EditorProps<K, Form> & { entry: Versioned<Shown<K>> | null }) {
  const { kind } = editing;
  const { t } = useTranslation("console");
  const api = useApi();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const notices = useNotices();
  const [entry, setEntry] = useState(loaded);
  const [chosenId, setChosenId] = useState<string | null>(null);
  const [idError, setIdError] = useState<string | null>(null);
  const [conflict, setConflict] = useState<{ form: Form; version: string | null } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  // Not a state: leaving must see it in the same moment.
  const isDone = useRef(false);
  const [initial] = useState(() => (loaded ? editing.toForm(loaded.shown) : editing.blank()));
  const form = useForm<Form>({ initialValues: initial });
  const { data: known = [] } = useQuery({ ...kindQuery(api, kind), enabled: id === null });
  const taken = new Set((known as { id: string }[]).map((each) => each.id));
  const newId = chosenId ?? freeId(editing.nameOf(form.values), taken);
  const details =
    error instanceof RondoError
      ? error.fields.filter(({ pointer }) => !(fieldAt(pointer) in form.values)).map(({ detail }) => detail)
      : [];

  async function save(version: string | null = entry?.version ?? null): Promise<void> {
    setError(null);
    setIdError(null);
    form.clearErrors();
    const wrong = editing.check?.(form.values) ?? {};
    if (Object.keys(wrong).length > 0) {
      form.setErrors(wrong as Record<string, string>);
      setError(new Error("incomplete"));
      return;
    }
    const target = id ?? newId;
    if (!ID.test(target)) {
      setIdError(t("id.wrong"));
      return;
    }
    setBusy(true);
    try {
      const saved = await putEntry<K>(api, kind, target, editing.toBody(form.values), version);
      await settle(saved);
    } catch (problem) {
      await fail(problem);
    } finally {
      setBusy(false);
    }
  }

  async function settle(saved: Versioned<Shown<K>>): Promise<void> {
    setConflict(null);
    setEntry(saved);
    const now = editing.toForm(saved.shown);
    form.setInitialValues(now);
    form.setValues(now);
    form.resetDirty(now);
    await queryClient.invalidateQueries({ queryKey: ["console", kind], refetchType: "active" });
    notices.done(t("saved"));
    if (editing.onSaved?.(saved.shown, id === null) || id !== null) return;
    isDone.current = true;
    await navigate({ to: LISTS[kind] });
  }

  async function fail(problem: unknown): Promise<void> {
    const is = (status: number) => problem instanceof RondoError && problem.status === status;
    if (is(412) && id === null) {
      setIdError(t("id.taken"));
      return;
    }
    if (is(412) && id !== null) {
      try {
        const theirs = await readEntry(api, kind, id);
        setConflict({ form: editing.toForm(theirs.shown), version: theirs.version });
        return;
      } catch (gone) {
        setError(gone);
        return;
      }
    }
    if (is(422) && problem instanceof RondoError) {
      const errors = problem.fields.map(({ pointer, detail }) => [fieldAt(pointer), detail]);
      form.setErrors(Object.fromEntries(errors.filter(([field]) => (field ?? "") in form.values)));
    }
    setError(problem);
  }

  async function remove(): Promise<void> {
    setBusy(true);
    try {
      await deleteEntry(api, kind, id ?? "", entry?.version ?? null);
      isDone.current = true;
      await queryClient.invalidateQueries({ queryKey: ["console", kind], refetchType: "active" });
      notices.done(t("deleted"));
      await navigate({ to: LISTS[kind] });
    } catch (problem) {
      await fail(problem);
    } finally {
      setBusy(false);
    }
  }

  return {
    form,
    entry,
    conflict,
    error,
    details,
    isBusy,
    newId,
    idError,
    chooseId: setChosenId,
    save,
    remove,
    takeTheirs: () => {
      if (!conflict) return;
      form.setInitialValues(conflict.form);
      form.setValues(conflict.form);
      form.resetDirty(conflict.form);
      setEntry((before) => before && { ...before, version: conflict.version });
      setConflict(null);
    },
    isLeavingLossy: () => form.isDirty() && !isDone.current,
  };
}

/** The form's field that a pointer of the API leads into: `/schedule/0/from` is about `schedule`. */
function fieldAt(pointer: string): string {
  return pointer.split("/")[1] ?? "";
}
