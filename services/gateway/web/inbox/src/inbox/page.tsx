// The inbox.

import { createLazyRoute } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Empty } from "../app/states.tsx";

export const lazyRoute = createLazyRoute("/shell/")({ component: InboxPage });

function InboxPage() {
  const { t } = useTranslation("inbox");
  return <Empty title={t("title")} />;
}
