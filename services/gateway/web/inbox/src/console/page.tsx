// The console.

import "../app/more_styles.ts";
import { createLazyRoute } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Empty } from "../app/states.tsx";

export const lazyRoute = createLazyRoute("/shell/console")({ component: ConsolePage });

function ConsolePage() {
  const { t } = useTranslation("console");
  return <Empty title={t("title")} />;
}
