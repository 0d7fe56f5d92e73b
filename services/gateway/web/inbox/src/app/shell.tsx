// The frame around every page of who is signed in.

import { Avatar, Menu, UnstyledButton } from "@mantine/core";
import {
  IconChartBar,
  IconDeviceTv,
  IconInbox,
  IconLogout,
  IconLogout2,
  IconSettings,
} from "@tabler/icons-react";
import { Link, Outlet } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { may, mayAdminister, type Session } from "../session/session.ts";
import { useSignOut } from "../session/sign_out.ts";
import { useSession } from "./needs.ts";
import classes from "./shell.module.css";

/** The bar with the way to everything, and the page below. */
export function Shell() {
  const { t } = useTranslation();
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#content">
        {t("skip")}
      </a>
      <header className={classes.bar}>
        <img src="/inbox/favicon.svg" width={28} height={28} alt="" />
        <Navigation />
        <AccountMenu />
      </header>
      <main id="content" tabIndex={-1} className={classes.content}>
        <Outlet />
      </main>
    </div>
  );
}

function placesOf(session: Session) {
  const seesFigures = may(session, "analytics_view");
  return [
    { to: "/", key: "nav.inbox", icon: IconInbox, isShown: true },
    { to: "/wall", key: "nav.wall", icon: IconDeviceTv, isShown: seesFigures },
    { to: "/reports", key: "nav.reports", icon: IconChartBar, isShown: seesFigures },
    { to: "/console", key: "nav.console", icon: IconSettings, isShown: mayAdminister(session) },
  ] as const;
}

/** The places that the agent may see. */
function Navigation() {
  const { t } = useTranslation();
  const places = placesOf(useSession()).filter(({ isShown }) => isShown);
  return (
    <nav aria-label={t("nav.label")} className={classes.nav}>
      {places.map(({ to, key, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          className={classes.place}
          activeOptions={{ exact: to === "/", includeSearch: false }}
        >
          <Icon size={18} aria-hidden />
          <span>{t(key)}</span>
        </Link>
      ))}
    </nav>
  );
}

function AccountMenu() {
  const { t } = useTranslation();
  const { agent, workspace } = useSession();
  const { signOut, signOutEverywhere } = useSignOut();
  return (
    <Menu position="bottom-end" width={240} withinPortal>
      <Menu.Target>
        <UnstyledButton className={classes.account} aria-label={t("account.label", { name: agent.name })}>
          <Avatar src={agent.avatar_url} name={agent.name} size={32} alt="" />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {agent.name} · {workspace.name}
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={signOut}>
          {t("account.sign_out")}
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout2 size={16} />} onClick={signOutEverywhere}>
          {t("account.sign_out_everywhere")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
