// Teams: agents who are asked for together.

import { TextInput } from "@mantine/core";
import { createLazyRoute, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { type Editing, Editor } from "./editor.tsx";
import { KindList } from "./kind_list.tsx";
import { AgentListInput, useAgentNames } from "./people.tsx";
import { Card } from "./section.tsx";

export const listLazy = createLazyRoute("/shell/console/teams")({ component: TeamsPage });
export const newLazy = createLazyRoute("/shell/console/teams/new")({
  component: () => <TeamPage id={null} />,
});
export const editLazy = createLazyRoute("/shell/console/teams/edit/$id")({ component: EditPage });

const NAMES_SHOWN_MAX = 4;

function TeamsPage() {
  const { t } = useTranslation("console");
  const names = useAgentNames();
  return (
    <KindList
      kind="teams"
      textOf={({ id, name, agent_ids }) =>
        `${id} ${name} ${agent_ids.map((each) => names.get(each)).join(" ")}`
      }
      columns={[
        { name: "name", show: ({ name }) => name },
        { name: "count", show: ({ agent_ids }) => agent_ids.length },
        {
          name: "agents",
          isSecondary: true,
          show: ({ agent_ids }) => {
            const shown = agent_ids.slice(0, NAMES_SHOWN_MAX).map((each) => names.get(each) ?? each);
            const more = agent_ids.length - shown.length;
            return shown.join(", ") + (more > 0 ? ` ${t("and_more", { count: more })}` : "");
          },
        },
      ]}
    />
  );
}

function EditPage() {
  const { id } = useParams({ from: "/shell/console/teams/edit/$id" });
  return <TeamPage key={id} id={id} />;
}

type TeamForm = { name: string; agent_ids: string[] };

function TeamPage({ id }: { id: string | null }) {
  const { t } = useTranslation("console");
  const editing: Editing<"teams", TeamForm> = {
    kind: "teams",
    blank: () => ({ name: "", agent_ids: [] }),
    toForm: ({ name, agent_ids }) => ({ name, agent_ids: [...agent_ids] }),
    toBody: ({ name, agent_ids }) => ({ name: name.trim(), agent_ids }),
    nameOf: ({ name }) => name,
    check: ({ name }) => (name.trim() === "" ? { name: t("name_missing") } : {}),
  };
  return (
    <Editor editing={editing} id={id}>
      {(form) => (
        <Card>
          <TextInput label={t("teams.fields.name.label")} required {...form.getInputProps("name")} />
          <AgentListInput
            label={t("teams.fields.agent_ids.label")}
            description={t("teams.fields.agent_ids.help")}
            {...form.getInputProps("agent_ids")}
            value={form.values.agent_ids}
          />
        </Card>
      )}
    </Editor>
  );
}
