// What stands where something is not there: yet, at all, or because of a problem.

import { Alert, Button, Center, Loader, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { problemText } from "./problem.ts";

/** Something is being fetched. */
export function Loading() {
  const { t } = useTranslation();
  return (
    <Center p="xl" role="status" aria-label={t("loading")}>
      <Loader size="sm" />
    </Center>
  );
}

interface EmptyProps {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
}

/** There is nothing, and that is fine. */
export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <Center p="xl" mih="12rem">
      <Stack align="center" gap="xs" maw="24rem" ta="center">
        <Text c="dimmed" aria-hidden>
          {icon}
        </Text>
        <Title order={2} size="h4" fw={600}>
          {title}
        </Title>
        {children ? (
          <Text component="div" size="sm" c="dimmed">
            {children}
          </Text>
        ) : null}
      </Stack>
    </Center>
  );
}

interface ProblemProps {
  error: unknown;
  /** Tries again; without it, there is nothing to try. */
  onRetry?: () => void;
}

/** Something could not be had, why, and what to do. */
export function Problem({ error, onRetry }: ProblemProps) {
  const { t } = useTranslation();
  return (
    <Alert
      m="md"
      color="red"
      variant="light"
      icon={<IconAlertTriangle size={18} aria-hidden />}
      title={t("problem.title")}
    >
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{problemText(t, error)}</Text>
        {onRetry ? (
          <Button size="xs" variant="default" onClick={onRetry}>
            {t("try_again")}
          </Button>
        ) : null}
      </Stack>
    </Alert>
  );
}
