// A visitor as agents are told of them.

import type { components } from "@rondo/client";

export type Visitor = components["schemas"]["Visitor"];

/** The visitor's name, or the next best; `null` when nothing is known. */
export function nameOf(visitor: Visitor): string | null {
  const name = [visitor.first_name, visitor.last_name].filter(Boolean).join(" ").trim();
  return name || visitor.email || null;
}

/** A page's address without what only machines read. */
export function pageText(url: string): string {
  try {
    const { hostname, pathname } = new URL(url);
    return hostname.replace(/^www\./, "") + (pathname === "/" ? "" : decodeURI(pathname));
  } catch {
    return url;
  }
}

/** An answer or attribute as text. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The zone of a country whose clocks all agree; of others no local time can be told. */
const ZONES: Readonly<Record<string, string>> = {
  AE: "Asia/Dubai",
  AT: "Europe/Vienna",
  BE: "Europe/Brussels",
  CH: "Europe/Zurich",
  CN: "Asia/Shanghai",
  CZ: "Europe/Prague",
  DE: "Europe/Berlin",
  DK: "Europe/Copenhagen",
  EE: "Europe/Tallinn",
  EG: "Africa/Cairo",
  FI: "Europe/Helsinki",
  FR: "Europe/Paris",
  GB: "Europe/London",
  GR: "Europe/Athens",
  HU: "Europe/Budapest",
  IE: "Europe/Dublin",
  IL: "Asia/Jerusalem",
  IN: "Asia/Kolkata",
  IS: "Atlantic/Reykjavik",
  IT: "Europe/Rome",
  JP: "Asia/Tokyo",
  KR: "Asia/Seoul",
  LT: "Europe/Vilnius",
  LV: "Europe/Riga",
  NL: "Europe/Amsterdam",
  NO: "Europe/Oslo",
  PL: "Europe/Warsaw",
  RO: "Europe/Bucharest",
  SA: "Asia/Riyadh",
  SE: "Europe/Stockholm",
  SG: "Asia/Singapore",
  TR: "Europe/Istanbul",
  UA: "Europe/Kyiv",
  ZA: "Africa/Johannesburg",
};

/** Where the visitor's clock can be known: an attribute that says so, or a country with one zone. */
export function visitorZone(visitor: Visitor): string | null {
  const said = visitor.attributes?.time_zone;
  if (typeof said === "string") return said;
  return ZONES[visitor.country?.toUpperCase() ?? ""] ?? null;
}
