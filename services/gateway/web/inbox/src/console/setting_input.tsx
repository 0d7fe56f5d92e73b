// How one setting is typed in.

import {
  ColorInput,
  MultiSelect,
  NumberInput,
  Select,
  Stack,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from "@mantine/core";
import { answered } from "@rondo/client";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useApi } from "../app/needs.ts";
import { AgentInput, TimeZoneInput } from "./people.tsx";
import type { SettingField } from "./settings_fields.ts";
import { word } from "./words.ts";

export const VISITOR_FIELDS = [
  "first_name",
  "last_name",
  "email",
  "job_title",
  "company",
  "phone",
  "country",
  "state",
  "city",
  "company_size",
  "industry",
] as const;
const CHANNELS = ["inbox", "web_push", "email", "chat_hooks"] as const;
const SWATCHES = ["#0f766e", "#2563eb", "#4f46e5", "#7c3aed", "#be185d", "#b91c1c", "#b45309", "#374151"];

interface SettingInputProps {
  field: SettingField;
  value: unknown;
  error: string | undefined;
  onChange(value: unknown): void;
}

export function SettingInput({ field, value, error, onChange }: SettingInputProps) {
  const { t } = useTranslation("console");
  const common = {
    label: word(t, `settings.fields.${field.path}.label`),
    description: word(t, `settings.fields.${field.path}.help`),
    error,
  };
  switch (field.input) {
    case "switch":
      return (
        <Switch
          {...common}
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case "number":
      return (
        <NumberInput
          {...common}
          maw="28rem"
          value={(value as number | null) ?? ""}
          {...(field.min !== undefined && { min: field.min })}
          {...(field.max !== undefined && { max: field.max })}
          clampBehavior="none"
          thousandSeparator=" "
          suffix={field.unit ? ` ${t(`unit.${field.unit}`)}` : ""}
          placeholder={field.isNullable ? t("settings.no_limit") : ""}
          onChange={(given) => onChange(typeof given === "number" ? given : null)}
        />
      );
    case "area":
      return (
        <Textarea
          {...common}
          autosize
          minRows={2}
          maxRows={10}
          value={String(value ?? "")}
          {...(field.max !== undefined && { maxLength: field.max })}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case "text":
      return (
        <TextInput
          {...common}
          value={String(value ?? "")}
          {...(field.max !== undefined && { maxLength: field.max })}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      );
    case "zone":
      return <TimeZoneInput {...common} value={String(value ?? "UTC")} onChange={onChange} />;
    case "list":
      return (
        <TagsInput
          {...common}
          value={value as string[]}
          splitChars={[",", " ", "\n"]}
          acceptValueOnBlur
          onChange={onChange}
        />
      );
    case "colour":
      return (
        <ColorInput
          {...common}
          maw="20rem"
          format="hex"
          value={String(value ?? "")}
          swatches={SWATCHES}
          swatchesPerRow={8}
          eyeDropperButtonProps={{ "aria-label": t("settings.pick_colour") }}
          onChange={onChange}
        />
      );
    case "visitor_fields":
      return (
        <MultiSelect
          {...common}
          data={VISITOR_FIELDS.map((each) => ({ value: each, label: t(`attribute.visitor_${each}`) }))}
          value={value as string[]}
          onChange={onChange}
        />
      );
    case "channels":
      return (
        <MultiSelect
          {...common}
          data={CHANNELS.map((each) => ({ value: each, label: t(`channel.${each}`) }))}
          value={value as string[]}
          onChange={onChange}
        />
      );
    case "route":
      return <RouteInput {...common} value={value as RouteValue | null} onChange={onChange} />;
  }
}

/** Where a request goes, as the API has it. */
export type RouteValue =
  | { type: "round_robin" }
  | { type: "custom_rules" }
  | { type: "agent"; agent_id: string }
  | { type: "team"; team_id: string };

const ROUTE_TYPES = ["round_robin", "custom_rules", "team", "agent"] as const;

interface RouteInputProps {
  label: string;
  description?: string;
  error?: string | undefined;
  value: RouteValue | null;
  onChange(value: RouteValue): void;
}

/** A route: its type, and the team or agent it needs. */
export function RouteInput({ label, description, error, value, onChange }: RouteInputProps) {
  const { t } = useTranslation("console");
  const api = useApi();
  const route = value ?? { type: "round_robin" };
  const teams = useQuery({
    queryKey: ["console", "teams", "names"],
    queryFn: async () => (await answered(api.GET("/v1/teams", { params: { query: { limit: 200 } } }))).data,
  });
  const choose = (type: string | null) => {
    if (type === "agent") onChange({ type, agent_id: "" });
    else if (type === "team") onChange({ type, team_id: "" });
    else if (type === "round_robin" || type === "custom_rules") onChange({ type });
  };
  return (
    <Stack gap="xs">
      <Select
        label={label}
        description={description}
        error={error}
        data={ROUTE_TYPES.map((each) => ({ value: each, label: t(`route.${each}`) }))}
        value={route.type}
        allowDeselect={false}
        onChange={choose}
      />
      {route.type === "agent" ? (
        <AgentInput
          label={t("route.which_agent")}
          value={route.agent_id || null}
          onChange={(agent_id) => onChange({ type: "agent", agent_id: agent_id ?? "" })}
        />
      ) : null}
      {route.type === "team" ? (
        <Select
          label={t("route.which_team")}
          data={(teams.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
          value={route.team_id || null}
          searchable
          nothingFoundMessage={t("nothing_found")}
          onChange={(team_id) => onChange({ type: "team", team_id: team_id ?? "" })}
        />
      ) : null}
    </Stack>
  );
}
