// Try a route: who would be offered this visitor's chat now, and why. Nothing changes by it.

import {
  ActionIcon,
  Alert,
  Button,
  Collapse,
  Group,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { answered } from "@rondo/client";
import { IconPlus, IconTestPipe, IconTrash } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { createLazyRoute } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "../app/needs.ts";
import { problemText } from "../app/problem.ts";
import { keys } from "./conditions.ts";
import classes from "./console.module.css";
import { RouteAnswer } from "./route_answer.tsx";
import {
  BLANK,
  FIRST_FIELDS,
  FURTHER_FIELDS,
  lacking,
  type Pair,
  type RouteRequest,
  requestBody,
} from "./route_request.ts";
import { Card, SectionPage } from "./section.tsx";
import { RouteInput } from "./setting_input.tsx";

export const lazyRoute = createLazyRoute("/shell/console/try")({ component: TryPage });

function TryPage() {
  const { t } = useTranslation("console");
  const { t: tApp } = useTranslation("app");
  const api = useApi();
  const nextKey = useRef(keys()).current;
  const [request, setRequest] = useState<RouteRequest>(BLANK);
  const [isMoreShown, more] = useDisclosure(false);
  const plan = useMutation({
    mutationFn: () => answered(api.POST("/v1/route_plans", { body: requestBody(request) })),
  });
  const missing = lacking(request);
  const setField = (name: string, value: string) =>
    setRequest((before) => ({ ...before, visitor: { ...before.visitor, [name]: value } }));
  const field = (name: (typeof FIRST_FIELDS)[number] | (typeof FURTHER_FIELDS)[number]) => (
    <TextInput
      key={name}
      label={t(`attribute.visitor_${name}`)}
      value={request.visitor[name] ?? ""}
      onChange={(event) => setField(name, event.currentTarget.value)}
    />
  );
  return (
    <SectionPage title={t("sections.try")} about={t("try.about")}>
      <div className={classes.try}>
        <form
          aria-label={t("sections.try")}
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (!missing) plan.mutate();
          }}
        >
          <Stack>
            <Card title={t("try.visitor")}>
              <SimpleGrid cols={{ base: 1, xs: 2 }}>{FIRST_FIELDS.map(field)}</SimpleGrid>
              <Collapse expanded={isMoreShown}>
                <SimpleGrid cols={{ base: 1, xs: 2 }}>{FURTHER_FIELDS.map(field)}</SimpleGrid>
              </Collapse>
              <Group>
                <Button size="xs" variant="subtle" onClick={more.toggle} aria-expanded={isMoreShown}>
                  {isMoreShown ? t("try.less") : t("try.more")}
                </Button>
              </Group>
              <Pairs
                label={t("try.attributes")}
                add={t("try.add_attribute")}
                pairs={request.attributes}
                nextKey={nextKey}
                onChange={(attributes) => setRequest((before) => ({ ...before, attributes }))}
              />
            </Card>
            <Card title={t("try.request")}>
              <RouteInput
                label={t("try.route")}
                value={request.route}
                onChange={(route) => setRequest((before) => ({ ...before, route }))}
              />
              <TextInput
                label={t("attribute.page_url")}
                type="url"
                placeholder="https://example.com/pricing"
                value={request.url}
                onChange={(event) => {
                  const url = event.currentTarget.value;
                  setRequest((before) => ({ ...before, url }));
                }}
              />
              <Pairs
                label={t("try.answers")}
                add={t("try.add_answer")}
                pairs={request.answers}
                nextKey={nextKey}
                onChange={(answers) => setRequest((before) => ({ ...before, answers }))}
              />
            </Card>
            <Group>
              <Button
                type="submit"
                loading={plan.isPending}
                disabled={missing !== null}
                leftSection={<IconTestPipe size={18} aria-hidden />}
              >
                {t("try.ask")}
              </Button>
              {missing ? (
                <Text size="sm" c="dimmed">
                  {t(`route.which_${missing}`)}
                </Text>
              ) : null}
            </Group>
          </Stack>
        </form>
        <div className={classes.answer} aria-live="polite">
          {plan.error ? (
            <Alert color="red" variant="light" role="alert">
              {problemText(tApp, plan.error)} {plan.error.message}
            </Alert>
          ) : null}
          {plan.data ? <RouteAnswer plan={plan.data} /> : null}
          {!plan.data && !plan.error ? (
            <Text size="sm" c="dimmed">
              {t("try.not_asked")}
            </Text>
          ) : null}
        </div>
      </div>
    </SectionPage>
  );
}

interface PairsProps {
  label: string;
  add: string;
  pairs: readonly Pair[];
  nextKey(): number;
  onChange(pairs: Pair[]): void;
}

function Pairs({ label, add, pairs, nextKey, onChange }: PairsProps) {
  const { t } = useTranslation("console");
  const change = (key: number, changed: Partial<Pair>) =>
    onChange(pairs.map((each) => (each.key === key ? { ...each, ...changed } : each)));
  return (
    <fieldset className={classes.plain} aria-label={label}>
      <Stack gap="xs">
        {pairs.map(({ key, name, value }, index) => (
          <Group key={key} gap="xs" wrap="nowrap">
            <TextInput
              flex={1}
              aria-label={t("try.pair_name", { label, number: index + 1 })}
              placeholder={t("conditions.name")}
              value={name}
              onChange={(event) => change(key, { name: event.currentTarget.value })}
            />
            <TextInput
              flex={1}
              aria-label={t("try.pair_value", { label, number: index + 1 })}
              placeholder={t("conditions.value")}
              value={value}
              onChange={(event) => change(key, { value: event.currentTarget.value })}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t("try.pair_remove", { label, number: index + 1 })}
              onClick={() => onChange(pairs.filter((each) => each.key !== key))}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </Group>
        ))}
        <Group>
          <Button
            size="xs"
            variant="subtle"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => onChange([...pairs, { key: nextKey(), name: "", value: "" }])}
          >
            {add}
          </Button>
        </Group>
      </Stack>
    </fieldset>
  );
}
