// The reports.

import "../app/more_styles.ts";
import { createLazyRoute } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Empty } from "../app/states.tsx";

export const lazyRoute = createLazyRoute("/shell/reports")({ component: ReportsPage });

function ReportsPage() {
  const { t } = useTranslation("reports");
  return <Empty title={t("title")} />;
}
