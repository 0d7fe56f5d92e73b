// The wall.

import "../app/more_styles.ts";
import { createLazyRoute } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Empty } from "../app/states.tsx";

export const lazyRoute = createLazyRoute("/shell/wall")({ component: WallPage });

function WallPage() {
  const { t } = useTranslation("wall");
  return <Empty title={t("title")} />;
}
