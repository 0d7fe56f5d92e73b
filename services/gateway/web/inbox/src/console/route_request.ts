// A made-up chat request, as it is filled in, and as the API is asked what would become of it.

import type { ChatRequest } from "@rondo/client";
import type { RouteValue } from "./setting_input.tsx";

/** A name and a value that the website, or a dialogue, would have given. */
export interface Pair {
  key: number;
  name: string;
  value: string;
}

export interface RouteRequest {
  visitor: Record<string, string>;
  attributes: Pair[];
  answers: Pair[];
  route: RouteValue;
  url: string;
}

/** The fields of a visitor that are asked first; the others come with "more". */
export const FIRST_FIELDS = ["email", "company", "country", "language"] as const;
export const FURTHER_FIELDS = [
  "first_name",
  "last_name",
  "job_title",
  "phone",
  "crm_status",
  "state",
  "city",
  "company_size",
  "industry",
] as const;

export const BLANK: RouteRequest = {
  visitor: {},
  attributes: [],
  answers: [],
  route: { type: "custom_rules" },
  url: "",
};

/** Why it cannot be asked yet; null when it can. */
export function lacking({ route }: RouteRequest): "agent" | "team" | null {
  if (route.type === "agent" && route.agent_id === "") return "agent";
  if (route.type === "team" && route.team_id === "") return "team";
  return null;
}

/** The body of the request. What is left empty is not said. */
export function requestBody(request: RouteRequest): ChatRequest {
  const visitor = Object.fromEntries(
    Object.entries(request.visitor)
      .map(([name, value]) => [name, value.trim()] as const)
      .filter(([, value]) => value !== ""),
  );
  return {
    visitor: { ...visitor, attributes: valuesOf(request.attributes) },
    route: request.route,
    ...(request.url.trim() !== "" && { page: { url: request.url.trim() } }),
    answers: valuesOf(request.answers),
    priority: 0,
  };
}

/** Numbers and truth values as such, because a website sends them so. */
export function valuesOf(pairs: readonly Pair[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    pairs.filter(({ name }) => name.trim() !== "").map(({ name, value }) => [name.trim(), scalar(value)]),
  );
}

function scalar(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  // "007" and "+46…" are no numbers, but names of something.
  return /^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text) ? Number(text) : text;
}
