// The builder of conditions: groups of all and any, in each other, with comparisons in them.

import {
  ActionIcon,
  Button,
  Group,
  SegmentedControl,
  Select,
  Stack,
  TagsInput,
  Text,
  TextInput,
} from "@mantine/core";
import { IconFolderPlus, IconPlus, IconTrash } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { attributeName } from "./condition_words.tsx";
import {
  ATTRIBUTES,
  type Group as ConditionGroup,
  DEPTH_MAX,
  type Line,
  NAMED_ATTRIBUTES,
  newGroup,
  newLine,
  OPERATORS,
  type Operator,
  type Part,
  takesValue,
  withNew,
  withOperator,
  without,
  withPart,
} from "./conditions.ts";
import classes from "./console.module.css";

interface ConditionEditorProps {
  tree: ConditionGroup;
  nextKey(): number;
  /** The keys of lines that lack something. */
  incomplete: readonly number[];
  onChange(tree: ConditionGroup): void;
}

export function ConditionEditor(props: ConditionEditorProps) {
  return <GroupEditor {...props} group={props.tree} level={1} />;
}

function GroupEditor(props: ConditionEditorProps & { group: ConditionGroup; level: number }) {
  const { tree, group, level, nextKey, onChange } = props;
  const { t } = useTranslation("console");
  const other = group.kind === "all" ? "any" : "all";
  return (
    <fieldset
      className={classes.group}
      data-kind={group.kind}
      aria-label={t(`conditions.${group.kind}_label`)}
    >
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <SegmentedControl
            size="xs"
            aria-label={t("conditions.kind")}
            data={[
              { value: "all", label: t("conditions.all") },
              { value: "any", label: t("conditions.any") },
            ]}
            value={group.kind}
            onChange={(kind) => onChange(withPart(tree, { ...group, kind: kind as "all" | "any" }))}
          />
          {level > 1 ? (
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t("conditions.remove_group")}
              onClick={() => onChange(without(tree, group.key))}
            >
              <IconTrash size={16} />
            </ActionIcon>
          ) : null}
        </Group>
        {group.parts.length === 0 ? (
          <Text size="sm" c="dimmed">
            {t(`conditions.empty_${group.kind}`)}
          </Text>
        ) : null}
        {group.parts.map((part) => (
          <PartEditor key={part.key} {...props} part={part} level={level} />
        ))}
        <Group gap="xs">
          <Button
            size="xs"
            variant="subtle"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => onChange(withNew(tree, group.key, newLine(nextKey)))}
          >
            {t("conditions.add")}
          </Button>
          {level < DEPTH_MAX ? (
            <Button
              size="xs"
              variant="subtle"
              color="gray"
              leftSection={<IconFolderPlus size={14} aria-hidden />}
              onClick={() => onChange(withNew(tree, group.key, newGroup(nextKey, other)))}
            >
              {t(`conditions.add_${other}`)}
            </Button>
          ) : null}
        </Group>
      </Stack>
    </fieldset>
  );
}

function PartEditor(props: ConditionEditorProps & { part: Part; level: number }) {
  const { part, level } = props;
  if (part.kind === "line") return <LineEditor {...props} line={part} />;
  return <GroupEditor {...props} group={part} level={level + 1} />;
}

function LineEditor({ tree, line, incomplete, onChange }: ConditionEditorProps & { line: Line }) {
  const { t } = useTranslation("console");
  const change = (changed: Line) => onChange(withPart(tree, changed));
  const isWrong = incomplete.includes(line.key);
  return (
    <div className={classes.line}>
      <AttributeInput line={line} isWrong={isWrong} onChange={change} />
      <Select
        aria-label={t("conditions.operator")}
        data={OPERATORS.map((value) => ({ value, label: t(`operator.${value}`) }))}
        value={line.operator}
        allowDeselect={false}
        onChange={(operator) => operator && change(withOperator(line, operator as Operator))}
      />
      <ValueInput line={line} isWrong={isWrong} onChange={change} />
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={t("conditions.remove")}
        onClick={() => onChange(without(tree, line.key))}
      >
        <IconTrash size={16} />
      </ActionIcon>
    </div>
  );
}

/** Values one by one, also where several came at once with commas between them. */
function separated(values: readonly string[]): string[] {
  const each = values.flatMap((value) => value.split(/[,;\n]/)).map((value) => value.trim());
  return [...new Set(each)].filter((value) => value !== "");
}

interface LineInputProps {
  line: Line;
  isWrong: boolean;
  onChange(line: Line): void;
}

function AttributeInput({ line, isWrong, onChange }: LineInputProps) {
  const { t } = useTranslation("console");
  const prefix = NAMED_ATTRIBUTES.find((each) => line.attribute.startsWith(each));
  const name = prefix ? line.attribute.slice(prefix.length) : "";
  return (
    <div className={classes.lineAttribute}>
      <Select
        aria-label={t("conditions.attribute")}
        searchable
        allowDeselect={false}
        data={[
          {
            group: t("conditions.of_visitor"),
            items: ATTRIBUTES.map((value) => ({ value, label: attributeName(t, value) })),
          },
          {
            group: t("conditions.of_website"),
            items: NAMED_ATTRIBUTES.map((value) => ({
              value,
              label: t(value === "answers." ? "conditions.an_answer" : "conditions.an_attribute"),
            })),
          },
        ]}
        value={prefix ?? line.attribute}
        onChange={(attribute) => attribute && onChange({ ...line, attribute })}
      />
      {prefix ? (
        <TextInput
          aria-label={t("conditions.name")}
          placeholder={t("conditions.name")}
          value={name}
          maxLength={100}
          error={isWrong && name === ""}
          onChange={(event) => onChange({ ...line, attribute: prefix + event.currentTarget.value })}
        />
      ) : null}
    </div>
  );
}

function ValueInput({ line, isWrong, onChange }: LineInputProps) {
  const { t } = useTranslation("console");
  if (!takesValue(line.operator)) return <span />;
  const error = isWrong && line.values.every((each) => each === "") ? t("conditions.value_missing") : null;
  if (line.operator === "in" || line.values.length > 1) {
    return (
      <TagsInput
        aria-label={t("conditions.values")}
        placeholder={line.values.length === 0 ? t("conditions.values") : ""}
        value={line.values}
        error={error}
        splitChars={[",", ";", "\n"]}
        acceptValueOnBlur
        onChange={(values) => onChange({ ...line, values: separated(values) })}
      />
    );
  }
  return (
    <TextInput
      aria-label={t("conditions.value")}
      placeholder={t("conditions.value")}
      value={line.values[0] ?? ""}
      error={error}
      maxLength={1000}
      onChange={(event) => onChange({ ...line, values: [event.currentTarget.value] })}
    />
  );
}
