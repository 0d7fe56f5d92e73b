// What is asked of the API and kept for a while.

import { RondoError } from "@rondo/client";
import { QueryClient } from "@tanstack/react-query";

/** How often a question that may be answered later is repeated by itself. */
export const RETRIES_MAX = 3;
const RETRY_MS = 1_000;
const RETRY_MS_MAX = 30_000;
const FRESH_MS = 5_000;

/** Repeats what may succeed later, and no other; waits as long as the server asks for. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: FRESH_MS,
        retry: (failures, error) =>
          failures < RETRIES_MAX && error instanceof RondoError && error.isTransient,
        retryDelay: (failures, error) => retryDelayMs(failures, error),
      },
      mutations: { retry: false },
    },
  });
}

/** The delay before the next try after `failures` earlier ones. */
export function retryDelayMs(failures: number, error: unknown): number {
  const askedMs = error instanceof RondoError ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(askedMs, Math.min(RETRY_MS * 2 ** failures, RETRY_MS_MAX));
}
