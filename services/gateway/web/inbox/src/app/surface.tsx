// What every page stands on: colours, direction, notices.

import { DirectionProvider, MantineProvider, useDirection } from "@mantine/core";
import { useNotifications } from "@mantine/notifications";
import { lazy, type ReactNode, Suspense, useEffect, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import type { Chosen, Preferences } from "../settings/preferences.ts";
import "./styles.ts";
import { theme } from "./theme.ts";

const Notices = lazy(() => import("./notices.tsx"));

interface SurfaceProps {
  /** By which the page's policy knows style elements of its own. */
  nonce: string;
  preferences: Preferences;
  children: ReactNode;
}

/** The ground of all pages. */
export function Surface({ nonce, preferences, children }: SurfaceProps) {
  return (
    <DirectionProvider detectDirection={false}>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
        <Spoken preferences={preferences} />
        <NoticesOnceThereAreAny />
        {children}
      </MantineProvider>
    </DirectionProvider>
  );
}

/** Most of the time there are none: what shows them is loaded with the first. */
function NoticesOnceThereAreAny() {
  const { notifications } = useNotifications();
  const [isWanted, setWanted] = useState(false);
  useEffect(() => {
    if (notifications.length > 0) setWanted(true);
  }, [notifications.length]);
  return isWanted ? (
    <Suspense>
      <Notices />
    </Suspense>
  ) : null;
}

/** The document says in which language and direction it is. */
function Spoken({ preferences }: { preferences: Preferences }) {
  const { i18n } = useTranslation();
  const { setDirection } = useDirection();
  const { direction } = useChosen(preferences);
  const language = i18n.resolvedLanguage ?? "en";
  useEffect(() => {
    document.documentElement.lang = language;
    const shown = direction === "auto" ? i18n.dir(language) : direction;
    setDirection(shown);
  }, [language, direction, i18n, setDirection]);
  return null;
}

/** What was chosen for this browser, as it is now. */
export function useChosen(preferences: Preferences): Chosen {
  return useSyncExternalStore(preferences.subscribe, () => preferences.chosen);
}
