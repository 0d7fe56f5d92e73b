// Everything that can go wrong with a call, as one kind of error.

/** A field that the API could not take, by its JSON pointer. */
export interface FieldProblem {
  pointer: string;
  detail: string;
}

interface ErrorParts {
  code: string;
  status: number;
  retryAfterMs?: number | null;
  fields?: readonly FieldProblem[];
}

/**
 * A call that was not answered as hoped.
 *
 * `code` is the last part of the problem's type (`not-found`, `conversation-already-taken`), or `network`
 * when there was no answer at all. `status` is 0 then.
 */
export class RondoError extends Error {
  override readonly name = "RondoError";
  readonly code: string;
  readonly status: number;
  /** How long the server asks to wait before the next try. */
  readonly retryAfterMs: number | null;
  readonly fields: readonly FieldProblem[];

  constructor(message: string, parts: ErrorParts) {
    super(message);
    this.code = parts.code;
    this.status = parts.status;
    this.retryAfterMs = parts.retryAfterMs ?? null;
    this.fields = parts.fields ?? [];
  }

  /** Whether the same call may succeed later. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** The error of a call that got no answer. */
export function networkError(cause: unknown): RondoError {
  return cause instanceof RondoError
    ? cause
    : new RondoError(`no answer: ${String(cause)}`, { code: "network", status: 0 });
}

/** The error that an answer other than 2xx tells of. The body is read, if it was not yet. */
export async function errorOf(response: Response, body?: unknown): Promise<RondoError> {
  const problem = asRecord(body ?? (await response.json().catch(() => null)));
  const type = typeof problem.type === "string" ? problem.type : "";
  return new RondoError(String(problem.detail ?? problem.title ?? `HTTP ${response.status}`), {
    code: type.startsWith("urn:") ? (type.split(":").at(-1) ?? "") : `http-${response.status}`,
    status: response.status,
    retryAfterMs: retryAfterMs(response.headers.get("retry-after")),
    fields: Array.isArray(problem.errors) ? problem.errors : [],
  });
}

function retryAfterMs(header: string | null): number | null {
  const seconds = Number(header);
  return header === null || !(seconds >= 0) ? null : seconds * 1000;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
