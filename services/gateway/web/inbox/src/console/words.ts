// Texts of the console whose names are put together.

import type { TFunction } from "i18next";

/** The text of a name that is only known when it is needed, such as a field's. */
export function word(t: TFunction<"console">, name: string, values: Record<string, unknown> = {}): string {
  return t(name as never, values as never) as unknown as string;
}
