// Before the chat: the greeting, and what the website wants to know.

import type { SiteConfig } from "@rondo/client";
import { useEffect, useRef, useState } from "preact/hooks";
import { useStore } from "../store.ts";
import { ownUnlessDefault, type Word } from "../texts.ts";
import { useSetting } from "./context.ts";

type Field = NonNullable<SiteConfig["fields"]>[number];

const FIELDS_DEFAULT: readonly Field[] = ["first_name", "email"];
const COMPLETIONS: Partial<Record<Field, string>> = {
  first_name: "name",
  last_name: "family-name",
  email: "email",
  job_title: "organization-title",
  company: "organization",
  phone: "tel",
  country: "country-name",
  city: "address-level2",
};
// biome-ignore lint/suspicious/noExplicitAny: Preact types each kind of field by itself.
const TYPES: Partial<Record<Field, any>> = { email: "email", phone: "tel" };
const FIELD_LENGTH_MAX = 200;
const QUESTION_LENGTH_MAX = 1_000;

export function Start() {
  const { chat, language } = useSetting();
  const { config, isAsking, error } = useStore(chat.state);
  const [filled, setFilled] = useState<Record<string, string>>(() => parsed(chat.draft("details")));
  const [wrong, setWrong] = useState<Record<string, Word>>({});
  const form = useRef<HTMLFormElement>(null);
  const fields = config.fields ?? FIELDS_DEFAULT;
  const required = config.required ?? [];

  useEffect(() => form.current?.querySelector<HTMLElement>("input, textarea")?.focus(), []);
  useEffect(() => setWrong(refused(error?.fields ?? [])), [error]);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [wrong]);

  const fill = (name: string, value: string) => {
    const next = { ...filled, [name]: value };
    setFilled(next);
    chat.draft("details", JSON.stringify(next));
  };

  const submit = (event: Event) => {
    event.preventDefault();
    const problems = lacking(fields, required, filled);
    setWrong(problems);
    if (Object.keys(problems).length || isAsking) return;
    const visitor = Object.fromEntries(
      fields.flatMap((name) => {
        const value = filled[name]?.trim();
        return value ? [[name, value]] : [];
      }),
    );
    void chat.start(visitor, (filled["question"] ?? "").trim());
  };

  return (
    <form ref={form} class="start body" noValidate onSubmit={submit}>
      <p class="greeting" dir="auto">
        {ownUnlessDefault(language, "greeting", config.greeting)}
      </p>
      {fields.map((name) => (
        <Labelled key={name} name={name} isRequired={required.includes(name)} wrong={wrong[name]}>
          {(attributes) => (
            <input
              {...attributes}
              type={TYPES[name] ?? "text"}
              autoComplete={COMPLETIONS[name] ?? "on"}
              maxLength={FIELD_LENGTH_MAX}
              value={filled[name] ?? ""}
              onInput={(event) => fill(name, event.currentTarget.value)}
            />
          )}
        </Labelled>
      ))}
      <Labelled name="question" isRequired={false} wrong={undefined}>
        {(attributes) => (
          <textarea
            {...attributes}
            rows={3}
            maxLength={QUESTION_LENGTH_MAX}
            value={filled["question"] ?? ""}
            onInput={(event) => fill("question", event.currentTarget.value)}
          />
        )}
      </Labelled>
      <button type="submit" class="primary" aria-disabled={isAsking}>
        {language.say(isAsking ? "starting" : "start")}
      </button>
    </form>
  );
}

interface LabelledProps {
  name: Word;
  isRequired: boolean;
  wrong: Word | undefined;
  children: (attributes: Record<string, string | boolean>) => preact.ComponentChild;
}

function Labelled({ name, isRequired, wrong, children }: LabelledProps) {
  const { language } = useSetting();
  const attributes = {
    id: name,
    name,
    dir: "auto",
    required: isRequired,
    "aria-invalid": wrong ? "true" : "false",
    ...(wrong && { "aria-describedby": `${name}-wrong` }),
  };
  return (
    <div class="field">
      <label for={name}>
        {language.say(name)}
        {!isRequired && <span class="optional"> · {language.say("optional")}</span>}
      </label>
      {children(attributes)}
      {wrong && (
        <p class="wrong" id={`${name}-wrong`}>
          {language.say(wrong)}
        </p>
      )}
    </div>
  );
}

function lacking(fields: readonly Field[], required: readonly Field[], filled: Record<string, string>) {
  const wrong: Record<string, Word> = {};
  for (const name of fields) {
    const value = filled[name]?.trim() ?? "";
    if (!value && required.includes(name)) wrong[name] = "missing";
    if (value && name === "email" && !/^\S+@\S+\.\S+$/.test(value)) wrong[name] = "bad_email";
  }
  return wrong;
}

/** The fields that the API could not take. */
function refused(problems: readonly { pointer: string }[]): Record<string, Word> {
  const names = problems.map(({ pointer }) => pointer.split("/").at(-1) ?? "");
  return Object.fromEntries(names.map((name) => [name, name === "email" ? "bad_email" : "missing"]));
}

function parsed(text: string): Record<string, string> {
  try {
    return JSON.parse(text || "{}");
  } catch {
    return {};
  }
}
