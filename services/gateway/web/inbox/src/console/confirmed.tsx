// A button for what cannot be undone: it asks first, and says what follows.

import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

interface ConfirmedProps {
  label: string;
  /** What follows. */
  words: string;
  icon?: ReactNode;
  isBusy?: boolean;
  isDanger?: boolean;
  size?: "xs" | "sm";
  /** For those who do not see which row the button is in. */
  accessibleLabel?: string;
  onConfirm(): void;
}

export function Confirmed({ label, words, icon, isBusy, isDanger = true, ...rest }: ConfirmedProps) {
  const { t } = useTranslation("console");
  const [isOpen, { open, close }] = useDisclosure(false);
  const confirm = () => {
    close();
    rest.onConfirm();
  };
  const colour = isDanger ? { color: "red" } : {};
  return (
    <>
      <Button
        size={rest.size ?? "sm"}
        variant={isDanger ? "subtle" : "default"}
        {...colour}
        leftSection={icon}
        loading={isBusy ?? false}
        aria-label={rest.accessibleLabel}
        onClick={open}
      >
        {label}
      </Button>
      <Modal opened={isOpen} onClose={close} title={label} closeButtonProps={{ "aria-label": t("close") }}>
        <Stack>
          <Text size="sm">{words}</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={close} data-autofocus>
              {t("cancel")}
            </Button>
            <Button {...colour} onClick={confirm}>
              {label}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
