// Browser storage that may be missing, forbidden or full: then things last as long as the page.

/** Named texts that outlast a reload where the browser allows it. Never raises. */
export interface Keep {
  get(name: string): string | null;
  /** `null` removes it. */
  set(name: string, value: string | null): void;
}

/** A keep in `localStorage` (all tabs) or `sessionStorage` (this tab). */
export function browserKeep(kind: "local" | "session"): Keep {
  const inMemory = memoryKeep();
  let storage: Storage | null = null;
  try {
    // Reading the property raises where the browser forbids storage.
    storage = kind === "local" ? localStorage : sessionStorage;
  } catch {}
  return {
    get(name) {
      try {
        return storage?.getItem(name) ?? inMemory.get(name);
      } catch {
        return inMemory.get(name);
      }
    },
    set(name, value) {
      try {
        if (value === null) storage?.removeItem(name);
        else storage?.setItem(name, value);
        inMemory.set(name, storage ? null : value);
      } catch {
        inMemory.set(name, value); // Full, or forbidden since.
      }
    },
  };
}

/** A keep that forgets everything with the page. */
export function memoryKeep(): Keep {
  const values = new Map<string, string>();
  return {
    get: (name) => values.get(name) ?? null,
    set: (name, value) => {
      if (value === null) values.delete(name);
      else values.set(name, value);
    },
  };
}
