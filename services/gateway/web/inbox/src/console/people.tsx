// Picking agents, teams and time zones.

import { ActionIcon, Group, MultiSelect, Select, Stack, Text } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "../app/needs.ts";
import { rosterQuery } from "../wall/roster.ts";

const OPTIONS_SHOWN_MAX = 60;

/** The name of each agent, by id. */
export function useAgentNames(): ReadonlyMap<string, string> {
  const { data } = useQuery(rosterQuery(useApi()));
  return useMemo(() => new Map((data ?? []).map(({ id, name }) => [id, name])), [data]);
}

function useAgentOptions(chosen: readonly string[]) {
  const names = useAgentNames();
  return useMemo(() => {
    // Also those who are in it and answer no chats (any more) must be shown.
    const all = new Map([...chosen.map((id) => [id, id] as const), ...names]);
    return [...all].map(([value, label]) => ({ value, label }));
  }, [names, chosen]);
}

interface AgentListInputProps {
  label: string;
  description?: string;
  value: string[];
  error?: ReactNode;
  onChange(value: string[]): void;
}

/** Several agents, in the order in which they take their turns. */
export function AgentListInput({ label, description, value, error, onChange }: AgentListInputProps) {
  const { t } = useTranslation("console");
  const options = useAgentOptions(value);
  const nameOf = new Map(options.map((each) => [each.value, each.label]));
  const move = (index: number, by: number) => {
    const moved = [...value];
    const [taken] = moved.splice(index, 1);
    if (taken !== undefined) moved.splice(index + by, 0, taken);
    onChange(moved);
  };
  return (
    <Stack gap="sm">
      <MultiSelect
        label={label}
        description={description}
        error={error}
        data={options}
        value={value}
        onChange={onChange}
        searchable
        hidePickedOptions
        clearable
        limit={OPTIONS_SHOWN_MAX}
        nothingFoundMessage={t("nothing_found")}
        clearButtonProps={{ "aria-label": t("clear") }}
      />
      {value.length > 1 ? (
        <Stack gap={4} role="list" aria-label={t("people.order")}>
          <Text size="sm" c="dimmed">
            {t("people.order_help")}
          </Text>
          {value.map((id, index) => (
            <Group key={id} role="listitem" gap="xs" wrap="nowrap">
              <Text size="sm" w="1.5rem" ta="end" c="dimmed">
                {index + 1}
              </Text>
              <Text size="sm" flex={1} truncate>
                {nameOf.get(id) ?? id}
              </Text>
              <ActionIcon
                variant="subtle"
                color="gray"
                disabled={index === 0}
                aria-label={t("people.up", { name: nameOf.get(id) ?? id })}
                onClick={() => move(index, -1)}
              >
                <IconArrowUp size={16} />
              </ActionIcon>
              <ActionIcon
                variant="subtle"
                color="gray"
                disabled={index === value.length - 1}
                aria-label={t("people.down", { name: nameOf.get(id) ?? id })}
                onClick={() => move(index, 1)}
              >
                <IconArrowDown size={16} />
              </ActionIcon>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t("people.remove", { name: nameOf.get(id) ?? id })}
                onClick={() => onChange(value.filter((each) => each !== id))}
              >
                <IconX size={16} />
              </ActionIcon>
            </Group>
          ))}
        </Stack>
      ) : null}
    </Stack>
  );
}

interface AgentInputProps {
  label: string;
  description?: string;
  value: string | null;
  error?: ReactNode;
  onChange(value: string | null): void;
}

/** One agent. */
export function AgentInput({ label, description, value, error, onChange }: AgentInputProps) {
  const { t } = useTranslation("console");
  const chosen = useMemo(() => (value ? [value] : []), [value]);
  return (
    <Select
      label={label}
      description={description}
      error={error}
      data={useAgentOptions(chosen)}
      value={value}
      onChange={onChange}
      searchable
      limit={OPTIONS_SHOWN_MAX}
      nothingFoundMessage={t("nothing_found")}
    />
  );
}

interface TimeZoneInputProps {
  label: string;
  description?: string;
  value: string | null;
  error?: ReactNode;
  isClearable?: boolean;
  onChange(value: string | null): void;
}

/** One time zone. */
export function TimeZoneInput({ isClearable = false, value, ...rest }: TimeZoneInputProps) {
  const { t } = useTranslation("console");
  const zones = useMemo(() => {
    const known = new Set(["UTC", ...Intl.supportedValuesOf("timeZone")]);
    if (value) known.add(value);
    return [...known].sort();
  }, [value]);
  return (
    <Select
      {...rest}
      value={value}
      data={zones}
      searchable
      clearable={isClearable}
      limit={OPTIONS_SHOWN_MAX}
      nothingFoundMessage={t("nothing_found")}
      clearButtonProps={{ "aria-label": t("clear") }}
    />
  );
}
