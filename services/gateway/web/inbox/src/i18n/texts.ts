// The texts of the pages: one file per area and language, loaded when an area is first shown.

import i18next, { type BackendModule } from "i18next";
import { initReactI18next } from "react-i18next";
import { LANGUAGES, type Language, type Preferences } from "../settings/preferences.ts";

const FILES = import.meta.glob<{ default: object }>("../../locales/*/*.json");

/** Begins to speak: the language that was chosen, or the first of the browser's that there are texts in. */
export async function startTexts(preferences: Preferences): Promise<void> {
  await i18next
    .use(files)
    .use(initReactI18next)
    .init({
      lng: languageFor(preferences.chosen.language, navigator.languages),
      fallbackLng: "en",
      supportedLngs: [...LANGUAGES],
      ns: ["app", "inbox"],
      defaultNS: "app",
      // React escapes what it shows.
      interpolation: { escapeValue: false },
      react: { useSuspense: true },
    });
}

/** The language to speak. */
export function languageFor(chosen: Language | null, browsers: readonly string[]): Language {
  if (chosen) return chosen;
  for (const tag of browsers) {
    const language = LANGUAGES.find((each) => tag.toLowerCase().split("-")[0] === each);
    if (language) return language;
  }
  return "en";
}

const files: BackendModule = {
  type: "backend",
  init() {},
  read(language, area, callback) {
    const load = FILES[`../../locales/${language}/${area}.json`];
    if (!load) {
      callback(new Error(`there is no locales/${language}/${area}.json`), false);
      return;
    }
    load().then(
      ({ default: texts }) => callback(null, texts as never),
      (error) => callback(error, false),
    );
  },
};
