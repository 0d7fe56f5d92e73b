// The widget on a page: an element of its own, with its own styles, that the page's rules do not reach.

import { h, render } from "preact";
import type { Chat } from "./chat.ts";
import { bearFrozenPrototypes } from "./frozen.ts";
import styles from "./styles.css?inline";
import { type Language, languageFor } from "./texts.ts";
import { SettingContext } from "./view/context.ts";
import { Widget } from "./view/widget.tsx";

export const ELEMENT = "rondo-chat";

/** Light or dark: as the visitor's system has it, or as the website says. */
export type Theme = "auto" | "light" | "dark";

/** How the widget is put on the page. */
export interface Placement {
  chat: Chat;
  /** The website's wish; without it, the page's own language. */
  language: string | null;
  theme: Theme;
  side: "left" | "right";
}

/**
 * Puts the widget on the page; the returned function takes it away again.
 *
 * It stands beside `body`, not in it: libraries that exchange the body do not take it away, and whatever
 * moves the body does not move it. Should it be taken away all the same, it comes back.
 */
export function place({ chat, language, theme, side }: Placement): () => void {
  bearFrozenPrototypes();
  const host = document.createElement(elementName());
  host.dataset["theme"] = theme;
  host.dataset["side"] = side;
  const root = host.attachShadow({ mode: "open" });
  adopt(root);
  const inside = document.createElement("div");
  inside.className = "widget";
  root.append(inside);

  const draw = () => {
    const spoken = pageLanguage(language);
    host.lang = spoken.code;
    inside.dir = spoken.direction;
    inside.lang = spoken.code;
    render(h(SettingContext.Provider, { value: { chat, language: spoken } }, h(Widget, null)), inside);
  };
  const colour = () => accent(host, chat.state.get().config.colour);
  const unfollow = chat.state.follow(colour);
  const page = new MutationObserver((changes) => {
    if (!host.isConnected) document.documentElement.append(host);
    if (changes.some(({ type }) => type === "attributes")) draw();
  });

  colour();
  draw();
  document.documentElement.append(host);
  page.observe(document.documentElement, { childList: true, attributeFilter: ["lang", "dir"] });
  return () => {
    page.disconnect();
    unfollow();
    render(null, inside);
    host.remove();
  };
}

/** A name that no rule of the page is likely to mean. It is defined, so that it is no unknown element. */
function elementName(): string {
  if (!customElements.get(ELEMENT)) customElements.define(ELEMENT, class extends HTMLElement {});
  return ELEMENT;
}

function adopt(root: ShadowRoot): void {
  // Not a `style` element: a strict policy of the page refuses those.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  root.adoptedStyleSheets = [sheet];
}

function pageLanguage(wish: string | null): Language {
  const { documentElement: html, body } = document;
  const wanted = wish || html.lang || body?.lang || navigator.language || "en";
  const direction = getComputedStyle(body ?? html).direction === "rtl" ? "rtl" : "ltr";
  return languageFor(wanted, direction);
}

/** The website's accent, with a text colour on it that can be read. */
function accent(host: HTMLElement, colour: string | undefined): void {
  if (!colour || !/^#[0-9a-f]{6}$/i.test(colour)) return;
  host.style.setProperty("--_site-accent", colour);
  host.style.setProperty("--_site-on-accent", contrastsWithWhite(colour) ? "#fff" : "#111");
}

/** Whether white text on the colour has the contrast that WCAG AA asks for. */
export function contrastsWithWhite(colour: string): boolean {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5;
}
