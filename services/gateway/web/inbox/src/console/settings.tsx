// The workspace's settings.

import { Alert, Button, Stack, Tabs, Text } from "@mantine/core";
import { type Api, answered, RondoError } from "@rondo/client";
import { IconAlertTriangle, IconDeviceFloppy, IconKey } from "@tabler/icons-react";
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createLazyRoute, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi, useSession } from "../app/needs.ts";
import { problemText } from "../app/problem.ts";
import { Loading, Problem } from "../app/states.tsx";
import { may } from "../session/session.ts";
import { Confirmed } from "./confirmed.tsx";
import { Conflict } from "./conflict.tsx";
import classes from "./console.module.css";
import { legible } from "./differences.ts";
import { type Versioned, versioned } from "./kinds.ts";
import { Leaving } from "./leaving.tsx";
import { useNotices } from "./notice.ts";
import { Copyable, Secret } from "./secret.tsx";
import { Card, SectionPage } from "./section.tsx";
import { SettingInput } from "./setting_input.tsx";
import {
  type GroupName,
  groupsFor,
  patchOf,
  pathAt,
  type Settings,
  type SettingValues,
  siteTag,
  valuesOf,
} from "./settings_fields.ts";
import { word } from "./words.ts";

export const lazyRoute = createLazyRoute("/shell/console/settings")({ component: SettingsPage });

function settingsQuery(api: Api) {
  return queryOptions({
    queryKey: ["console", "settings"],
    queryFn: () => versioned<Settings>(api.GET("/v1/workspace", { cache: "no-store" })),
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

function SettingsPage() {
  const { data, error, refetch } = useQuery(settingsQuery(useApi()));
  if (error) return <Problem error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading />;
  return <SettingsForm loaded={data} />;
}

function SettingsForm({ loaded }: { loaded: Versioned<Settings> }) {
  const { t } = useTranslation("console");
  const { t: tApp } = useTranslation("app");
  const session = useSession();
  const navigate = useNavigate();
  const groups = groupsFor(session.permissions);
  const { group: asked } = useSearch({ from: "/shell/console/settings" });
  const group = groups.find(({ name }) => name === asked)?.name ?? groups[0]?.name ?? "routing";
  const form = useSettings(loaded);
  const { values, error, errors, conflict } = form;
  const wrongGroups = new Set(
    groups.filter(({ fields }) => fields.some(({ path }) => errors[path])).map(({ name }) => name),
  );
  return (
    <SectionPage title={t("sections.settings")} about={t("settings.about")}>
      <form
        aria-label={t("sections.settings")}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void form.save();
        }}
      >
        <Stack gap="lg">
          <Tabs
            value={group}
            onChange={(name) =>
              void navigate({
                to: "/console/settings",
                search: { group: name as GroupName },
                replace: true,
              })
            }
            keepMounted={false}
          >
            <Tabs.List mb="lg">
              {groups.map(({ name }) => (
                <Tabs.Tab
                  key={name}
                  value={name}
                  rightSection={wrongGroups.has(name) ? <IconAlertTriangle size={16} color="red" /> : null}
                >
                  {t(`settings.groups.${name}.title`)}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            {groups.map(({ name, fields }) => (
              <Tabs.Panel key={name} value={name}>
                <Stack gap="lg">
                  <Card
                    title={t(`settings.groups.${name}.title`)}
                    about={t(`settings.groups.${name}.about`)}
                  >
                    {fields
                      .filter(({ path }) => path in values)
                      .map((field) => (
                        <SettingInput
                          key={field.path}
                          field={field}
                          value={values[field.path]}
                          error={errors[field.path]}
                          onChange={(value) => form.change(field.path, value)}
                        />
                      ))}
                  </Card>
                  {name === "website" ? <Website siteKey={loaded.shown.site_key} /> : null}
                </Stack>
              </Tabs.Panel>
            ))}
          </Tabs>
          {conflict ? (
            <Conflict
              differences={Object.keys(patchPaths(conflict.values, values)).map((path) => ({
                label: word(t, `settings.fields.${path}.label`),
                theirs: legible(conflict.values[path]),
                mine: legible(values[path]),
              }))}
              isBusy={form.isBusy}
              onTakeTheirs={form.takeTheirs}
              onKeepMine={() => void form.save(conflict.version)}
            />
          ) : null}
          {error ? (
            <Alert
              color="red"
              variant="light"
              role="alert"
              icon={<IconAlertTriangle size={18} aria-hidden />}
            >
              {Object.keys(errors).length > 0 ? t("look_at_fields") : problemText(tApp, error)}
            </Alert>
          ) : null}
          <div className={classes.saveBar}>
            <Button
              type="submit"
              loading={form.isBusy}
              leftSection={<IconDeviceFloppy size={18} aria-hidden />}
            >
              {t("save")}
            </Button>
            {form.isDirty() ? (
              <Text size="sm" c="dimmed" role="status">
                {t("unsaved")}
              </Text>
            ) : null}
          </div>
        </Stack>
      </form>
      {/* Another group is the same page: nothing is lost there. */}
      <Leaving isDirty={form.isDirty} within="/console/settings" />
    </SectionPage>
  );
}

/** The paths on which two versions differ. */
function patchPaths(one: SettingValues, other: SettingValues): SettingValues {
  const differs = (path: string) => JSON.stringify(one[path]) !== JSON.stringify(other[path]);
  return Object.fromEntries(Object.entries(other).filter(([path]) => differs(path)));
}

function useSettings(loaded: Versioned<Settings>) {
  const { t } = useTranslation("console");
  const api = useApi();
  const queryClient = useQueryClient();
  const notices = useNotices();
  const [base, setBase] = useState({ values: valuesOf(loaded.shown), version: loaded.version });
  const [values, setValues] = useState(base.values);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [error, setError] = useState<unknown>(null);
  const [conflict, setConflict] = useState<typeof base | null>(null);
  const [isBusy, setBusy] = useState(false);

  async function save(version: string | null = base.version): Promise<void> {
    setError(null);
    setErrors({});
    const patch = patchOf(base.values, values);
    setBusy(true);
    try {
      const header = version === null ? {} : { "if-match": version };
      const call = api.PATCH("/v1/workspace", { params: { header }, body: patch as never });
      const saved = await versioned<Settings>(call);
      const now = valuesOf(saved.shown);
      setBase({ values: now, version: saved.version });
      setValues(now);
      setConflict(null);
      queryClient.setQueryData(settingsQuery(api).queryKey, saved);
      notices.done(t("saved"));
    } catch (problem) {
      await fail(problem);
    } finally {
      setBusy(false);
    }
  }

  async function fail(problem: unknown): Promise<void> {
    if (problem instanceof RondoError && problem.status === 412) {
      try {
        const theirs = await versioned<Settings>(api.GET("/v1/workspace", { cache: "no-store" }));
        setConflict({ values: valuesOf(theirs.shown), version: theirs.version });
      } catch (again) {
        setError(again);
      }
      return;
    }
    if (problem instanceof RondoError && problem.status === 422) {
      const found = problem.fields.map(({ pointer, detail }) => [pathAt(pointer, values), detail] as const);
      setErrors(Object.fromEntries(found.filter(([path]) => path !== null)) as Record<string, string>);
    }
    setError(problem);
  }

  return {
    values,
    errors,
    error,
    conflict,
    isBusy,
    save,
    change: (path: string, value: unknown) => setValues((before) => ({ ...before, [path]: value })),
    isDirty: () => Object.keys(patchOf(base.values, values)).length > 0,
    takeTheirs: () => {
      if (!conflict) return;
      setBase(conflict);
      setValues(conflict.values);
      setConflict(null);
    },
  };
}

/** What a website needs of the workspace: the tag for its pages, and the secret to sign visitors with. */
function Website({ siteKey }: { siteKey: string }) {
  const { t } = useTranslation("console");
  const api = useApi();
  const session = useSession();
  const notices = useNotices();
  const [secret, setSecret] = useState<string | null>(null);
  const rotation = useMutation({
    mutationFn: () => answered(api.POST("/v1/workspace/identity_secret")),
    onSuccess: ({ identity_secret }) => setSecret(identity_secret),
    onError: notices.failed,
  });
  return (
    <>
      <Card title={t("site_tag.title")} about={t("site_tag.about")}>
        <Copyable text={siteTag(window.location.origin, siteKey)} label={t("site_tag.title")} />
      </Card>
      {may(session, "admin_security") ? (
        <Card title={t("identity.title")} about={t("identity.about")}>
          <div>
            <Confirmed
              label={t("identity.rotate")}
              words={t("identity.rotate_words")}
              icon={<IconKey size={18} aria-hidden />}
              isDanger={false}
              isBusy={rotation.isPending}
              onConfirm={() => rotation.mutate()}
            />
          </div>
          <Secret
            title={t("identity.title")}
            words={t("identity.secret_words")}
            secret={secret}
            onClose={() => setSecret(null)}
          />
        </Card>
      ) : null}
    </>
  );
}
