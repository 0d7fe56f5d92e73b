// How long to wait before the next try.

import type { Surroundings } from "./surroundings.ts";

export const RETRY_MS = 1_000;
export const RETRY_MS_MAX = 30_000;

/**
 * The delay before the try after `failures` failed ones: never less than `baseMs`, doubling up to
 * `RETRY_MS_MAX`, and spread over half of itself so that a thousand clients do not come back as one.
 */
export function backoffMs(failures: number, baseMs: number, chance: Pick<Surroundings, "random">): number {
  const delayMs = Math.min(baseMs * 2 ** Math.max(failures - 1, 0), Math.max(RETRY_MS_MAX, baseMs));
  return failures === 0 ? baseMs : delayMs * (1 + chance.random() / 2);
}
