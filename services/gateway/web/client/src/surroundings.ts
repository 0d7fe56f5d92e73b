// What the client needs of the browser, so that tests can stand in for it.

/** Something that may be worth another try at once. */
export type Wakeup = "online" | "offline" | "visible";

/** Time, chance, and what the browser notices. */
export interface Surroundings {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `action` once after `delayMs`, unless the returned function is called before. */
  after(delayMs: number, action: () => void): () => void;
  /** At least 0, below 1. */
  random(): number;
  isOnline(): boolean;
  /** Calls `notice` whenever the browser notices something; the returned function ends that. */
  watch(notice: (what: Wakeup) => void): () => void;
}

/** The real ones. Outside a browser, it is always online. */
export function browserSurroundings(): Surroundings {
  return {
    now: () => Date.now(),
    after: (delayMs, action) => {
      const timer = setTimeout(action, delayMs);
      return () => clearTimeout(timer);
    },
    random: () => Math.random(),
    isOnline: () => typeof navigator === "undefined" || navigator.onLine !== false,
    watch: (notice) => (typeof window === "undefined" ? () => {} : watchWindow(notice)),
  };
}

function watchWindow(notice: (what: Wakeup) => void): () => void {
  const watching = new AbortController();
  const { signal } = watching;
  window.addEventListener("online", () => notice("online"), { signal });
  window.addEventListener("offline", () => notice("offline"), { signal });
  // A page that comes back from the back-forward cache, or from sleep, is told by these.
  window.addEventListener("pageshow", () => notice("visible"), { signal });
  document.addEventListener("resume", () => notice("visible"), { signal });
  document.addEventListener(
    "visibilitychange",
    () => {
      if (document.visibilityState === "visible") notice("visible");
    },
    { signal },
  );
  return () => watching.abort();
}
