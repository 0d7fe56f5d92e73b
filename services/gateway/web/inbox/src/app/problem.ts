// What went wrong, in words a person can act on.

import { RondoError } from "@rondo/client";
import type { TFunction } from "i18next";

const BY_STATUS = {
  401: "problem.signed_out",
  403: "problem.not_permitted",
  404: "problem.not_found",
  409: "problem.conflict",
  412: "problem.changed_meanwhile",
  413: "problem.too_large",
  422: "problem.invalid",
  503: "problem.unavailable",
} as const;

const BY_CODE = {
  network: "problem.network",
  "conversation-already-taken": "problem.already_taken",
  "offer-expired": "problem.offer_expired",
  "not-offered-to-you": "problem.not_offered",
  "agent-at-capacity": "problem.at_capacity",
  "conversation-not-active": "problem.not_active",
  "sign-in-link-invalid": "problem.sign_in_link",
  csrf: "problem.reload",
} as const;

/** The sentence for an error. What the API says itself is only shown where nothing better is known. */
export function problemText(t: TFunction<"app">, error: unknown): string {
  if (!(error instanceof RondoError)) return t("problem.unknown");
  if (error.status === 429) {
    return t("problem.too_much", { count: Math.max(1, Math.ceil((error.retryAfterMs ?? 1_000) / 1_000)) });
  }
  const key =
    BY_CODE[error.code as keyof typeof BY_CODE] ?? BY_STATUS[error.status as keyof typeof BY_STATUS];
  if (key) return t(key);
  return error.status >= 500 ? t("problem.unavailable") : error.message;
}
