// The widget's script: finds its tag, waits until the page is there, and never breaks it.

import { type RondoSdk, startSdk, type Tag } from "./sdk.ts";

type Action = (rondo: RondoSdk) => void;

declare global {
  interface Window {
    /** Before the script has loaded, a website may put a list here and push what it wants to do. */
    Rondo?: RondoSdk | Action[];
  }
}

const script = document.currentScript as HTMLScriptElement | null;
const tag = script && tagOf(script);

if (tag && (!window.Rondo || Array.isArray(window.Rondo))) {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => start(tag));
  else start(tag);
}

function start(tag: Tag): void {
  const waiting = Array.isArray(window.Rondo) ? window.Rondo : [];
  try {
    const rondo = startSdk(tag);
    window.Rondo = rondo;
    for (const action of waiting) rondo.push(action);
  } catch (error) {
    reportError(error); // Shown to the website's developers; the page goes on without a chat.
  }
}

function tagOf({ dataset, src }: HTMLScriptElement): Tag | null {
  const { siteKey, language, theme, side } = dataset;
  if (!siteKey) {
    reportError(new Error("rondo.js: the script's tag needs a data-site-key"));
    return null;
  }
  return {
    baseUrl: dataset["url"]?.replace(/\/$/, "") ?? new URL(src).origin,
    siteKey,
    language: language ?? null,
    theme: theme === "light" || theme === "dark" ? theme : "auto",
    side: side === "left" ? "left" : "right",
  };
}
