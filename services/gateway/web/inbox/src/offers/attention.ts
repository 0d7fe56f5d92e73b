// What a tab shows of the inbox while another one is looked at: its title and its icon.

/** What wants attention. */
export interface Wanting {
  rings: number;
  unread: number;
}

const CALM = "#0f766e";
const RING = "#b45309";
const BADGE = "#c92a2a";

/** The title of the page: what rings first, else how much is unread. */
export function titleFor(
  page: string,
  { rings, unread }: Wanting,
  ringing: (count: number) => string,
): string {
  if (rings > 0) return `${ringing(rings)} · ${page}`;
  return unread > 0 ? `(${unread}) ${page}` : page;
}

/** The icon, as an address: with a badge that counts, in another colour while it rings. */
export function iconFor({ rings, unread }: Wanting): string {
  const count = rings || unread;
  const shown = count > 9 ? "9+" : String(count);
  const badge =
    count === 0
      ? ""
      : `<circle cx="22" cy="22" r="10" fill="${BADGE}"/>` +
        `<text x="22" y="26.5" font-family="system-ui,sans-serif" font-size="${count > 9 ? 11 : 14}" ` +
        `font-weight="700" text-anchor="middle" fill="#fff">${shown}</text>`;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">` +
    `<rect width="32" height="32" rx="9" fill="${rings > 0 ? RING : CALM}"/>` +
    `<path d="M16 7a9 9 0 1 0 9 9" fill="none" stroke="#fff" stroke-width="3.4" stroke-linecap="round"/>` +
    `<circle cx="22.6" cy="9.4" r="2.6" fill="#fff"/>${badge}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** Shows both in this tab. */
export function showAttention(title: string, wanting: Wanting): void {
  if (document.title !== title) document.title = title;
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const icon = iconFor(wanting);
  if (link && link.href !== icon) link.href = icon;
}
