// What every view stands on.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Chat } from "../chat.ts";
import type { Language } from "../texts.ts";

/** The chat, and the language it is shown in. */
export interface Setting {
  chat: Chat;
  language: Language;
}

export const SettingContext = createContext<Setting | null>(null);

/** The setting that a view is drawn in. */
export function useSetting(): Setting {
  const setting = useContext(SettingContext);
  if (!setting) throw new Error("a view outside of the widget");
  return setting;
}
