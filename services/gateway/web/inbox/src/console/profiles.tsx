// Profiles: named sets of permissions.

import { Checkbox, SimpleGrid, TextInput } from "@mantine/core";
import { createLazyRoute, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useSession } from "../app/needs.ts";
import type { Permission } from "../session/session.ts";
import { type Editing, Editor } from "./editor.tsx";
import { KindList } from "./kind_list.tsx";
import { Card } from "./section.tsx";

export const listLazy = createLazyRoute("/shell/console/profiles")({ component: ProfilesPage });
export const newLazy = createLazyRoute("/shell/console/profiles/new")({
  component: () => <ProfilePage id={null} />,
});
export const editLazy = createLazyRoute("/shell/console/profiles/edit/$id")({ component: EditPage });

/** The permissions, by what they are about. */
const AREAS = {
  chat: ["live_chat_view_my", "live_chat_view_all", "own_availability", "meetings"],
  figures: ["analytics_view", "analytics_export"],
  dialogues: ["dialogues_view", "dialogues_manage", "dialogues_publish"],
  admin: [
    "admin_round_robin",
    "admin_custom_rules",
    "admin_accounts",
    "admin_teams",
    "admin_agents",
    "admin_security",
    "admin_integrations",
  ],
} as const satisfies Record<string, readonly Permission[]>;

function ProfilesPage() {
  const { t } = useTranslation("console");
  return (
    <KindList
      kind="profiles"
      textOf={({ id, name }) => `${id} ${name}`}
      columns={[
        { name: "name", show: ({ name }) => name },
        { name: "count", show: ({ permissions }) => permissions.length },
        {
          name: "permissions",
          isSecondary: true,
          show: ({ permissions }) =>
            permissions.length > 6
              ? t("profiles.most", { count: permissions.length })
              : permissions.map((each) => t(`permission.${each}.label`)).join(", ") || "–",
        },
      ]}
    />
  );
}

function EditPage() {
  const { id } = useParams({ from: "/shell/console/profiles/edit/$id" });
  return <ProfilePage key={id} id={id} />;
}

type ProfileForm = { name: string; permissions: Permission[] };

function ProfilePage({ id }: { id: string | null }) {
  const { t } = useTranslation("console");
  const session = useSession();
  const editing: Editing<"profiles", ProfileForm> = {
    kind: "profiles",
    blank: () => ({ name: "", permissions: ["live_chat_view_my", "own_availability"] }),
    toForm: ({ name, permissions }) => ({ name, permissions: [...permissions] }),
    toBody: ({ name, permissions }) => ({ name: name.trim(), permissions }),
    nameOf: ({ name }) => name,
    check: ({ name }) => (name.trim() === "" ? { name: t("name_missing") } : {}),
  };
  return (
    <Editor editing={editing} id={id}>
      {(form) => (
        <>
          <Card>
            <TextInput label={t("profiles.fields.name.label")} required {...form.getInputProps("name")} />
          </Card>
          <Checkbox.Group
            label={t("profiles.fields.permissions.label")}
            description={t("profiles.fields.permissions.help")}
            {...form.getInputProps("permissions")}
          >
            <SimpleGrid cols={{ base: 1, sm: 2 }} mt="sm">
              {(Object.keys(AREAS) as (keyof typeof AREAS)[]).map((area) => (
                <Card key={area} title={t(`profiles.areas.${area}`)}>
                  {AREAS[area].map((permission) => (
                    <Checkbox
                      key={permission}
                      value={permission}
                      label={t(`permission.${permission}.label`)}
                      description={t(`permission.${permission}.help`)}
                      disabled={!session.permissions.includes(permission)}
                    />
                  ))}
                </Card>
              ))}
            </SimpleGrid>
          </Checkbox.Group>
        </>
      )}
    </Editor>
  );
}
