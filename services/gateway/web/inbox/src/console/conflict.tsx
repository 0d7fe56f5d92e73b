// Somebody else has changed the same thing meanwhile: what they made of it, and what to do now.

import { Alert, Button, Group, Table, Text } from "@mantine/core";
import { IconArrowsSplit2 } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import classes from "./console.module.css";

/** A field that both have, and not the same in it. */
export interface Difference {
  label: string;
  theirs: string;
  mine: string;
}

interface ConflictProps {
  differences: readonly Difference[];
  isBusy: boolean;
  onTakeTheirs(): void;
  onKeepMine(): void;
}

export function Conflict({ differences, isBusy, onTakeTheirs, onKeepMine }: ConflictProps) {
  const { t } = useTranslation("console");
  return (
    <Alert
      color="ring"
      variant="light"
      role="alert"
      icon={<IconArrowsSplit2 size={18} aria-hidden />}
      title={t("conflict.title")}
    >
      <Text size="sm">{differences.length > 0 ? t("conflict.words") : t("conflict.same")}</Text>
      {differences.length > 0 ? (
        <div className={classes.table}>
          <Table mt="sm" layout="fixed">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("conflict.field")}</Table.Th>
                <Table.Th>{t("conflict.theirs")}</Table.Th>
                <Table.Th>{t("conflict.mine")}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {differences.map(({ label, theirs, mine }) => (
                <Table.Tr key={label}>
                  <Table.Th scope="row">{label}</Table.Th>
                  <Table.Td>{theirs || "–"}</Table.Td>
                  <Table.Td>{mine || "–"}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      ) : null}
      <Group mt="md" gap="sm">
        <Button size="sm" variant="default" onClick={onTakeTheirs} disabled={isBusy}>
          {t("conflict.take_theirs")}
        </Button>
        <Button size="sm" onClick={onKeepMine} loading={isBusy}>
          {t("conflict.keep_mine")}
        </Button>
      </Group>
    </Alert>
  );
}
