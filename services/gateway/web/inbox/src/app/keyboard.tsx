// The overview of keys, by `?`.

import { Kbd, Modal, Table } from "@mantine/core";
import "@mantine/core/styles/Table.layer.css";
import { useTranslation } from "react-i18next";

const KEYS = [
  ["R", "keys.ring"],
  ["A", "keys.accept"],
  ["D", "keys.decline"],
  ["J", "keys.next"],
  ["K", "keys.previous"],
  ["C", "keys.composer"],
  ["/", "keys.search"],
  ["Enter", "keys.send"],
  ["Shift + Enter", "keys.break"],
  ["?", "keys.overview"],
] as const;

/** The dialog. */
export function KeyboardOverview({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation("inbox");
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t("keys.title")}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <Table verticalSpacing="xs">
        <Table.Tbody>
          {KEYS.map(([key, text]) => (
            <Table.Tr key={key}>
              <Table.Th scope="row" w="8rem">
                <Kbd dir="ltr">{key}</Kbd>
              </Table.Th>
              <Table.Td>{t(text)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
