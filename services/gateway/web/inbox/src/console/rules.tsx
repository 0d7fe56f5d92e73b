// All rules in the order in which they are tried; they are ordered here, with the mouse, a finger or keys.

import {
  type Announcements,
  closestCenter,
  DndContext,
  type DragEndEvent,
  KeyboardSensor,
  PointerSensor,
  type UniqueIdentifier,
  useSensor,
  useSensors,
} from "@dnd-kit/core";
import {
  arrayMove,
  SortableContext,
  sortableKeyboardCoordinates,
  useSortable,
  verticalListSortingStrategy,
} from "@dnd-kit/sortable";
import { CSS } from "@dnd-kit/utilities";
import { ActionIcon, Badge, Button, Group, Menu, Stack, Text } from "@mantine/core";
import { answered } from "@rondo/client";
import {
  IconArrowDown,
  IconArrowUp,
  IconDotsVertical,
  IconGripVertical,
  IconPlus,
  IconTestPipe,
} from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createLazyRoute, Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useApi } from "../app/needs.ts";
import { Empty, Loading, Problem } from "../app/states.tsx";
import { ConditionWords } from "./condition_words.tsx";
import type { Condition } from "./conditions.ts";
import classes from "./console.module.css";
import { type Finding, Findings, lintQuery } from "./findings.tsx";
import { EntryLink } from "./kind_list.tsx";
import { kindQuery, type Shown } from "./kinds.ts";
import { useNotices } from "./notice.ts";
import { useAgentNames } from "./people.tsx";
import { inOrder } from "./rule_order.ts";
import { SectionPage } from "./section.tsx";

export const listLazy = createLazyRoute("/shell/console/rules")({ component: RulesPage });

type Rule = Shown<"rules">;

function RulesPage() {
  const { t } = useTranslation("console");
  const api = useApi();
  const rules = useQuery({ ...kindQuery(api, "rules"), select: inOrder });
  const lint = useQuery(lintQuery(api));
  const findings = lint.data ?? [];
  const elsewhere = findings.filter(({ subject }) => !subject.startsWith("rule/"));
  return (
    <SectionPage
      title={t("sections.rules")}
      about={t("rules.about")}
      actions={
        <>
          <Button
            variant="default"
            leftSection={<IconTestPipe size={18} aria-hidden />}
            renderRoot={(given) => <Link to="/console/try" {...given} />}
          >
            {t("sections.try")}
          </Button>
          <Button
            leftSection={<IconPlus size={18} aria-hidden />}
            renderRoot={(given) => <Link to="/console/rules/new" {...given} />}
          >
            {t("rules.new")}
          </Button>
        </>
      }
    >
      {rules.error ? <Problem error={rules.error} onRetry={() => void rules.refetch()} /> : null}
      {rules.isPending ? <Loading /> : null}
      {rules.data?.length === 0 ? <Empty title={t("rules.none")}>{t("rules.none_words")}</Empty> : null}
      {rules.data && rules.data.length > 0 ? <RuleOrder rules={rules.data} findings={findings} /> : null}
      <Findings findings={elsewhere} title={t("rules.findings_elsewhere")} />
    </SectionPage>
  );
}

function RuleOrder({ rules, findings }: { rules: Rule[]; findings: readonly Finding[] }) {
  const { t } = useTranslation("console");
  const arrange = useArrange();
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const ids = rules.map(({ id }) => id);
  const move = (from: number, to: number) => arrange.mutate(arrayMove(rules, from, to));
  const end = ({ active, over }: DragEndEvent) => {
    if (over && active.id !== over.id) move(ids.indexOf(String(active.id)), ids.indexOf(String(over.id)));
  };
  return (
    <DndContext
      sensors={sensors}
      collisionDetection={closestCenter}
      onDragEnd={end}
      accessibility={{
        announcements: useAnnouncements(rules),
        screenReaderInstructions: { draggable: t("rules.drag_help") },
      }}
    >
      <SortableContext items={ids} strategy={verticalListSortingStrategy}>
        <ul className={classes.rules} aria-label={t("rules.list")}>
          {rules.map((rule, index) => (
            <RuleRow
              key={rule.id}
              rule={rule}
              place={index + 1}
              findings={findings.filter(({ subject }) => subject === `rule/${rule.id}`)}
              {...(index > 0 && { onUp: () => move(index, index - 1) })}
              {...(index < rules.length - 1 && { onDown: () => move(index, index + 1) })}
            />
          ))}
        </ul>
      </SortableContext>
    </DndContext>
  );
}

interface RuleRowProps {
  rule: Rule;
  place: number;
  findings: readonly Finding[];
  onUp?: () => void;
  onDown?: () => void;
}

function RuleRow({ rule, place, findings, onUp, onDown }: RuleRowProps) {
  const { t } = useTranslation("console");
  const names = useAgentNames();
  const sortable = useSortable({ id: rule.id });
  const { role: _role, ...attributes } = sortable.attributes;
  return (
    <li
      ref={sortable.setNodeRef}
      className={classes.rule}
      data-is-dragged={sortable.isDragging}
      style={{
        transform: CSS.Translate.toString(sortable.transform) ?? "none",
        transition: sortable.transition ?? "none",
      }}
    >
      <ActionIcon
        ref={sortable.setActivatorNodeRef}
        className={classes.handle}
        variant="subtle"
        color="gray"
        {...attributes}
        {...sortable.listeners}
        aria-label={t("rules.drag", { name: rule.name })}
      >
        <IconGripVertical size={18} />
      </ActionIcon>
      <Text className={classes.placeNumber} c="dimmed" size="sm" mt={4}>
        {place}
      </Text>
      <Stack gap={6}>
        <Group gap="xs">
          <EntryLink kind="rules" id={rule.id}>
            {rule.name}
          </EntryLink>
          {rule.enabled ? null : <Badge variant="default">{t("rules.off")}</Badge>}
        </Group>
        <ConditionWords condition={rule.conditions as Condition} />
        <Text size="sm">
          {rule.agent_ids.length === 0
            ? t("rules.nobody")
            : t("rules.to", { names: rule.agent_ids.map((each) => names.get(each) ?? each).join(", ") })}
        </Text>
        <Findings findings={findings} />
      </Stack>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={t("rules.more", { name: rule.name })}>
            <IconDotsVertical size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconArrowUp size={16} />} disabled={!onUp} onClick={onUp}>
            {t("rules.up")}
          </Menu.Item>
          <Menu.Item leftSection={<IconArrowDown size={16} />} disabled={!onDown} onClick={onDown}>
            {t("rules.down")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </li>
  );
}

/** Brings the rules into an order: shown at once, and put back when it was refused. */
function useArrange() {
  const api = useApi();
  const queryClient = useQueryClient();
  const { failed } = useNotices();
  const { queryKey } = kindQuery(api, "rules");
  return useMutation({
    mutationFn: (rules: Rule[]) =>
      answered(api.POST("/v1/rules/order", { body: { rule_ids: rules.map(({ id }) => id) } })),
    onMutate: async (rules) => {
      await queryClient.cancelQueries({ queryKey });
      const numbered = rules.map((rule, index) => ({ ...rule, priority: index + 1 }));
      queryClient.setQueryData(queryKey, numbered);
    },
    onError: failed,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["console", "rules"] }),
  });
}

/** What a screen reader is told while a rule is moved. */
function useAnnouncements(rules: readonly Rule[]): Announcements {
  const { t } = useTranslation("console");
  const name = (id: UniqueIdentifier) => rules.find((each) => each.id === id)?.name ?? String(id);
  const place = (id: UniqueIdentifier) => rules.findIndex((each) => each.id === id) + 1;
  const count = rules.length;
  return {
    onDragStart: ({ active }) =>
      t("rules.lifted", { name: name(active.id), place: place(active.id), count }),
    onDragOver: ({ active, over }) =>
      over ? t("rules.over", { name: name(active.id), place: place(over.id), count }) : undefined,
    onDragEnd: ({ active, over }) =>
      t("rules.dropped", { name: name(active.id), place: place((over ?? active).id), count }),
    onDragCancel: ({ active }) => t("rules.kept", { name: name(active.id) }),
  };
}
