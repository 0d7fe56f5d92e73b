// A form that is left with something in it that was not saved.

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useBlocker } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

/** Asks before what was typed is lost. Going to another place `within` an address loses nothing. */
export function Leaving({ isDirty, within }: { isDirty: () => boolean; within?: string }) {
  const { t } = useTranslation("console");
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ next }) => isDirty() && next.pathname !== within,
    enableBeforeUnload: () => isDirty(),
    withResolver: true,
  });
  return (
    <Modal
      opened={status === "blocked"}
      onClose={() => reset?.()}
      title={t("leaving.title")}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <Stack>
        <Text size="sm">{t("leaving.words")}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={() => reset?.()} data-autofocus>
            {t("leaving.stay")}
          </Button>
          <Button color="red" onClick={() => proceed?.()}>
            {t("leaving.leave")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
