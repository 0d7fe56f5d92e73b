// The frame of the console: the way to its screens, and the screen.

import {
  IconBuilding,
  IconKey,
  IconMessage2Bolt,
  IconRoute,
  IconSettings,
  IconShieldCheck,
  IconTestPipe,
  IconUser,
  IconUsersGroup,
  IconWebhook,
} from "@tabler/icons-react";
import { createLazyRoute, Link, Navigate, Outlet, useLocation } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useSession } from "../app/needs.ts";
import { Empty } from "../app/states.tsx";
import classes from "./console.module.css";
import { type SectionName, sectionsFor } from "./sections.ts";
import "./styles.ts";

export const lazyRoute = createLazyRoute("/shell/console")({ component: ConsolePage });
export const indexLazy = createLazyRoute("/shell/console/")({ component: FirstSection });

const ICONS = {
  agents: IconUser,
  teams: IconUsersGroup,
  rules: IconRoute,
  try: IconTestPipe,
  accounts: IconBuilding,
  saved_replies: IconMessage2Bolt,
  settings: IconSettings,
  webhooks: IconWebhook,
  api_keys: IconKey,
  profiles: IconShieldCheck,
} as const satisfies Record<SectionName, unknown>;

function ConsolePage() {
  const { t } = useTranslation("console");
  const sections = sectionsFor(useSession());
  const asked = useLocation({ select: ({ pathname }) => pathname.split("/console/")[1]?.split("/")[0] });
  const isOpen = !asked || sections.some(({ name }) => name === asked);
  return (
    <div className={classes.console}>
      <nav className={classes.nav} aria-label={t("sections.label")}>
        {sections.map(({ name }) => {
          const Icon = ICONS[name];
          return (
            <Link
              key={name}
              to={`/console/${name}`}
              className={classes.place}
              ref={name === asked ? inView : null}
            >
              <Icon size={18} aria-hidden />
              <span>{t(`sections.${name}`)}</span>
            </Link>
          );
        })}
      </nav>
      {isOpen ? <Outlet /> : <Empty title={t("not_permitted.title")}>{t("not_permitted.words")}</Empty>}
    </div>
  );
}

/** On a phone the screens stand in a row that is wider than it: the present one is to be seen. */
function inView(place: HTMLAnchorElement | null): void {
  place?.scrollIntoView({ block: "nearest", inline: "center" });
}

/** Whoever comes to the console without saying where to is shown the first screen they may use. */
function FirstSection() {
  const { t } = useTranslation("console");
  const [first] = sectionsFor(useSession());
  if (!first) return <Empty title={t("not_permitted.title")}>{t("not_permitted.words")}</Empty>;
  return <Navigate to={`/console/${first.name}`} replace />;
}
