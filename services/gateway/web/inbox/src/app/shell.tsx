// The frame around every page of who is signed in.

import { Menu, UnstyledButton } from "@mantine/core";
import {
  IconAdjustmentsHorizontal,
  IconChartBar,
  IconDeviceTv,
  IconInbox,
  IconKeyboard,
  IconLogout,
  IconLogout2,
  IconSettings,
} from "@tabler/icons-react";
import { Link, Outlet } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { Workplace } from "../desk/workplace.tsx";
import { RingingBanner } from "../offers/banner.tsx";
import type { Ringer } from "../offers/sound.ts";
import { AvailabilityControl } from "../presence/availability.tsx";
import { Connection } from "../presence/connection.tsx";
import { useNotificationClicks } from "../push/use_push.ts";
import { may, mayAdminister, type Session } from "../session/session.ts";
import { useSignOut } from "../session/sign_out.ts";
import type { DialogName } from "./dialogs.tsx";
import { Face } from "./face.tsx";
import { useSession } from "./needs.ts";
import classes from "./shell.module.css";
import { useShortcuts } from "./shortcuts.ts";

const Dialogs = lazy(() => import("./dialogs.tsx"));

/** The bar with the way to everything, and the page below. */
export function Shell() {
  return <Workplace>{(ringer) => <Frame ringer={ringer} />}</Workplace>;
}

function Frame({ ringer }: { ringer: Ringer }) {
  const { t } = useTranslation();
  const [dialog, setDialog] = useState<DialogName | null>(null);
  // Once it was shown it stays, so that it can be seen to close.
  const [hasDialog, setHasDialog] = useState(false);
  const show = (name: DialogName) => {
    setHasDialog(true);
    setDialog(name);
  };
  useShortcuts({ "?": () => show("keyboard") });
  useNotificationClicks();
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#content">
        {t("skip")}
      </a>
      <header className={classes.bar}>
        <img className={classes.brand} src="/inbox/favicon.svg" width={28} height={28} alt="" />
        <Navigation />
        <AvailabilityControl />
        <AccountMenu onShow={show} />
      </header>
      <main id="content" tabIndex={-1} className={classes.content}>
        <Outlet />
      </main>
      <Connection />
      <RingingBanner ringer={ringer} />
      {hasDialog ? (
        <Suspense>
          <Dialogs shown={dialog} ringer={ringer} onClose={() => setDialog(null)} />
        </Suspense>
      ) : null}
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
  if (places.length === 1) return <div className={classes.gap} />;
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

function AccountMenu({ onShow }: { onShow: (dialog: DialogName) => void }) {
  const { t } = useTranslation();
  const { agent, workspace } = useSession();
  const { signOut, signOutEverywhere } = useSignOut();
  return (
    <Menu position="bottom-end" width={260} withinPortal>
      <Menu.Target>
        <UnstyledButton className={classes.account}>
          <span className="visually-hidden">{t("account.label", { name: agent.name })}</span>
          <Face name={agent.name} src={agent.avatar_url} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {agent.name} · {workspace.name}
        </Menu.Label>
        <Menu.Item
          leftSection={<IconAdjustmentsHorizontal size={16} aria-hidden />}
          onClick={() => onShow("settings")}
        >
          {t("account.settings")}
        </Menu.Item>
        <Menu.Item leftSection={<IconKeyboard size={16} aria-hidden />} onClick={() => onShow("keyboard")}>
          {t("account.keyboard")}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={signOut}>
          {t("account.sign_out")}
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout2 size={16} aria-hidden />} onClick={signOutEverywhere}>
          {t("account.sign_out_everywhere")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
