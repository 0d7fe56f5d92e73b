// One rule: which visitors, and which agents take turns for them.

import { Switch, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { createLazyRoute, useParams } from "@tanstack/react-router";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "../app/needs.ts";
import { Loading } from "../app/states.tsx";
import { ConditionEditor } from "./condition_editor.tsx";
import {
  type Condition,
  conditionOf,
  editable,
  type Group,
  incomplete,
  keys,
  newGroup,
  type Phrase,
  phrases,
} from "./conditions.ts";
import { type Editing, Editor } from "./editor.tsx";
import { Findings, lintQuery } from "./findings.tsx";
import { type Body, kindQuery } from "./kinds.ts";
import { AgentListInput } from "./people.tsx";
import { Card } from "./section.tsx";

export const newLazy = createLazyRoute("/shell/console/rules/new")({ component: NewPage });
export const editLazy = createLazyRoute("/shell/console/rules/edit/$id")({ component: EditPage });

function EditPage() {
  const { id } = useParams({ from: "/shell/console/rules/edit/$id" });
  return <RulePage key={id} id={id} priority={1} />;
}

/** A new rule comes after all others. */
function NewPage() {
  const { data: rules } = useQuery(kindQuery(useApi(), "rules"));
  if (!rules) return <Loading />;
  return <RulePage id={null} priority={Math.max(0, ...rules.map((each) => each.priority)) + 1} />;
}

type RuleForm = {
  name: string;
  priority: number;
  conditions: Group;
  agent_ids: string[];
  enabled: boolean;
};

function RulePage({ id, priority }: { id: string | null; priority: number }) {
  const { t } = useTranslation("console");
  const nextKey = useRef(keys()).current;
  const findings = useQuery(lintQuery(useApi()));
  const editing: Editing<"rules", RuleForm> = {
    kind: "rules",
    blank: () => ({
      name: "",
      priority,
      conditions: newGroup(nextKey, "all"),
      agent_ids: [],
      enabled: true,
    }),
    toForm: ({ name, priority: present, conditions, agent_ids, enabled }) => ({
      name,
      priority: present,
      conditions: editable(conditions as Condition, nextKey),
      agent_ids: [...agent_ids],
      enabled,
    }),
    toBody: ({ name, conditions, ...rest }) => ({
      ...rest,
      name: name.trim(),
      conditions: conditionOf(conditions) as Body<"rules">["conditions"],
    }),
    nameOf: ({ name }) => name,
    legible: {
      conditions: ((value: Group) => phrases(conditionOf(value)).map(legiblePhrase).join(" ")) as (
        value: never,
      ) => string,
    },
    check: ({ name, conditions }) => ({
      ...(name.trim() === "" ? { name: t("name_missing") } : {}),
      ...(incomplete(conditions).length > 0 ? { conditions: t("conditions.incomplete") } : {}),
    }),
  };
  return (
    <Editor editing={editing} id={id}>
      {(form) => (
        <>
          {id === null ? null : (
            <Findings findings={(findings.data ?? []).filter(({ subject }) => subject === `rule/${id}`)} />
          )}
          <Card>
            <TextInput label={t("rules.fields.name.label")} required {...form.getInputProps("name")} />
            <Switch
              label={t("rules.fields.enabled.label")}
              description={t("rules.fields.enabled.help")}
              {...form.getInputProps("enabled", { type: "checkbox" })}
            />
          </Card>
          <Card title={t("rules.fields.conditions.label")} about={t("rules.fields.conditions.help")}>
            <ConditionEditor
              tree={form.values.conditions}
              nextKey={nextKey}
              incomplete={form.errors.conditions ? incomplete(form.values.conditions) : []}
              onChange={(tree) => form.setValues({ conditions: tree } as Partial<RuleForm>)}
            />
            {form.errors.conditions ? (
              <div className="problem-text" role="alert">
                {form.errors.conditions}
              </div>
            ) : null}
          </Card>
          <Card title={t("rules.who")}>
            <AgentListInput
              label={t("rules.fields.agent_ids.label")}
              description={t("rules.fields.agent_ids.help")}
              {...form.getInputProps("agent_ids")}
              value={form.values.agent_ids}
            />
          </Card>
        </>
      )}
    </Editor>
  );
}

function legiblePhrase(phrase: Phrase): string {
  if (phrase.is !== "comparison") return phrase.is;
  const { attribute, operator, value } = phrase.comparison;
  return `${attribute} ${operator} ${value ?? ""}`;
}
