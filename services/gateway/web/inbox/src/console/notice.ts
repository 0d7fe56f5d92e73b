// Short words about what was done, and about what could not be.

import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";
import { problemText } from "../app/problem.ts";

/** Tells that something was done, or why it was not. */
export function useNotices() {
  const { t } = useTranslation("console");
  const { t: tApp } = useTranslation("app");
  return {
    done: (message: string) => notifications.show({ message, color: "calm" }),
    failed: (error: unknown) =>
      notifications.show({ title: t("failed"), message: problemText(tApp, error), color: "red" }),
  };
}
