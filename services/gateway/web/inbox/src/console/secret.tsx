// What is shown once and never again.

import { Alert, Button, Code, CopyButton, Group, Modal, Stack, Text } from "@mantine/core";
import { IconCheck, IconCopy, IconKey } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import classes from "./console.module.css";

/** A text to copy, with the button for it. */
export function Copyable({ text, label }: { text: string; label: string }) {
  const { t } = useTranslation("console");
  return (
    <Stack gap="xs">
      <Code block className={classes.secret} aria-label={label} tabIndex={0}>
        {text}
      </Code>
      <Group>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button
              size="sm"
              variant="default"
              leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
              onClick={copy}
            >
              {copied ? t("copied") : t("copy")}
            </Button>
          )}
        </CopyButton>
      </Group>
    </Stack>
  );
}

interface SecretProps {
  title: string;
  /** What it is for, and what happens without it. */
  words: string;
  /** Null: nothing is shown. */
  secret: string | null;
  onClose(): void;
}

/** A secret, over everything until it was copied or given up. */
export function Secret({ title, words, secret, onClose }: SecretProps) {
  const { t } = useTranslation("console");
  return (
    <Modal
      opened={secret !== null}
      onClose={onClose}
      title={title}
      closeOnClickOutside={false}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <Stack>
        <Text size="sm">{words}</Text>
        <Copyable text={secret ?? ""} label={title} />
        <Alert color="ring" variant="light" icon={<IconKey size={18} aria-hidden />}>
          {t("secret.once")}
        </Alert>
        <Group justify="flex-end">
          <Button onClick={onClose}>{t("secret.done")}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
