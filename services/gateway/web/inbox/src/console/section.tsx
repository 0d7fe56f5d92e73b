// What every screen of the console has: its name, what it is for, and its actions.

import { Group, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./console.module.css";

interface SectionPageProps {
  title: string;
  /** What one does here, in a sentence or two. */
  about?: string;
  actions?: ReactNode;
  children: ReactNode;
}

export function SectionPage({ title, about, actions, children }: SectionPageProps) {
  return (
    <div className={classes.section}>
      <Stack gap="lg">
        <div className={classes.head}>
          <Stack gap={4}>
            <Title order={1} size="h2">
              {title}
            </Title>
            {about ? (
              <Text size="sm" c="dimmed">
                {about}
              </Text>
            ) : null}
          </Stack>
          {actions ? <Group gap="sm">{actions}</Group> : null}
        </div>
        {children}
      </Stack>
    </div>
  );
}

interface CardProps {
  title?: string;
  about?: string;
  children: ReactNode;
}

/** Fields that belong together. */
export function Card({ title, about, children }: CardProps) {
  return (
    <section className={classes.card} aria-label={title}>
      <Stack gap="md">
        {title ? (
          <div>
            <Title order={2} size="h4">
              {title}
            </Title>
            {about ? (
              <Text size="sm" c="dimmed" mt={4}>
                {about}
              </Text>
            ) : null}
          </div>
        ) : null}
        {children}
      </Stack>
    </section>
  );
}
