// What the linter says about the workspace's routing.

import { Alert, List } from "@mantine/core";
import { type Api, answered, type components } from "@rondo/client";
import { IconAlertTriangle } from "@tabler/icons-react";
import { queryOptions } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

export type Finding = components["schemas"]["Finding"];

/** Everything that cannot work. Belongs to the rules, so that a change of them asks anew. */
export function lintQuery(api: Api) {
  return queryOptions({
    queryKey: ["console", "rules", "lint"],
    queryFn: async (): Promise<Finding[]> => (await answered(api.GET("/v1/rules/lint"))).data,
  });
}

export function Findings({ findings, title }: { findings: readonly Finding[]; title?: string }) {
  const { t } = useTranslation("console");
  if (findings.length === 0) return null;
  return (
    <Alert color="ring" variant="light" icon={<IconAlertTriangle size={18} aria-hidden />} title={title}>
      <List size="sm" spacing={4} listStyleType="none" withPadding={false}>
        {findings.map(({ subject, problem, detail }) => (
          <List.Item key={`${subject} ${problem} ${detail}`}>
            <strong>{t(`flaw.${problem}`)}</strong> {detail}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
