// Rich text from the workspace (the fallback message), rebuilt from the few elements it may have.

import { safeAddress } from "@rondo/client";
import { Fragment, h, type VNode } from "preact";

const KEPT = new Set([
  "P",
  "BR",
  "B",
  "STRONG",
  "I",
  "EM",
  "U",
  "S",
  "UL",
  "OL",
  "LI",
  "BLOCKQUOTE",
  "CODE",
]);
const HEADINGS = /^H[1-6]$/;
const DROPPED = new Set([
  "SCRIPT",
  "STYLE",
  "TEMPLATE",
  "IFRAME",
  "OBJECT",
  "NOSCRIPT",
  "TEXTAREA",
  "TITLE",
]);

/**
 * The text as elements made anew: no attribute of it survives but the address of a link. It is parsed in a
 * document that runs and loads nothing.
 */
export function RichText({ html }: { html: string }) {
  if (!/[<&]/.test(html)) return <p class="plain">{html}</p>;
  let body: HTMLElement;
  try {
    // The first is allowed under every policy of a page, and not there in every browser.
    const { parseHTML } = Document as unknown as { parseHTML?: (html: string) => Document };
    body = (parseHTML?.(html) ?? new DOMParser().parseFromString(html, "text/html")).body;
  } catch {
    // Where the page's policy forbids parsing, the words alone are shown.
    return <p class="plain">{html.replace(/<[^>]*>/g, " ")}</p>;
  }
  return <div class="rich">{rebuilt(body)}</div>;
}

function rebuilt(parent: Node): (VNode | string)[] {
  return Array.from(parent.childNodes, (node) => {
    if (node.nodeType === 3) return node.nodeValue ?? "";
    const { nodeName } = node;
    if (node.nodeType !== 1 || DROPPED.has(nodeName)) return "";
    const inside = rebuilt(node);
    if (nodeName === "A") return link((node as Element).getAttribute("href"), inside);
    if (HEADINGS.test(nodeName)) return h("p", null, h("strong", null, inside));
    return h(
      KEPT.has(nodeName) ? nodeName.toLowerCase() : Fragment,
      null,
      nodeName === "BR" ? null : inside,
    );
  });
}

function link(href: string | null, inside: (VNode | string)[]): VNode {
  const address = href && safeAddress(href);
  if (!address) return h(Fragment, null, inside);
  return (
    <a href={address} target="_blank" rel="noopener noreferrer">
      {inside}
    </a>
  );
}
