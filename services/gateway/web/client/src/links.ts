// Links in what people write, found without ever reading it as markup.

/** A piece of a text; with an address, it is a link. */
export interface Piece {
  text: string;
  href?: string;
}

const CANDIDATE = /\b(?:https?:\/\/|www\.)[^\s<>"'`]+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gi;
const TRAILING = /[.,:;!?…]+$/;

/** The text in pieces, which together are the text exactly. Only http, https and mail become links. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    const shown = trimmed(match[0]);
    const href = addressOf(shown);
    if (!href) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index) });
    found.push({ text: shown, href });
    end = match.index + shown.length;
  }
  if (end < text.length) found.push({ text: text.slice(end) });
  return found;
}

/** Without what belongs to the sentence around it: stops, and a bracket that was opened before. */
function trimmed(candidate: string): string {
  let link = candidate.replace(TRAILING, "");
  while (link.endsWith(")") && count(link, ")") > count(link, "("))
    link = link.slice(0, -1).replace(TRAILING, "");
  return link;
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

function addressOf(link: string): string | null {
  const isWeb = /^(https?:\/\/|www\.)/i.test(link);
  return safeAddress(isWeb ? link.replace(/^www\./i, "https://www.") : `mailto:${link}`);
}

/** The address if it can do nothing but lead somewhere; else null. */
export function safeAddress(address: string): string | null {
  try {
    const { protocol, href, hostname } = new URL(address);
    if (protocol === "mailto:" || protocol === "tel:") return href;
    return (protocol === "https:" || protocol === "http:") && hostname ? href : null;
  } catch {
    return null;
  }
}
