// Which of a visitor's tabs listen: those that are looked at, and always one. Browsers allow an old server
// six connections in all; a seventh tab must not starve the website of its own.

/** How long a tab that is no longer looked at goes on listening. */
export const HIDDEN_MS_MAX = 20_000;

/** Says whether this tab listens, and tells when that changes. */
export class Keeper {
  readonly #onChange: () => void;
  #isKeeper = true;
  #isLooked = document.visibilityState !== "hidden";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #release: () => void = () => {};
  readonly #watching = new AbortController();

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    document.addEventListener("visibilitychange", () => this.#look(), { signal: this.#watching.signal });
  }

  get mayListen(): boolean {
    return this.#isLooked || this.#isKeeper;
  }

  /** Asks to be the one that listens always, for the chat of this name. */
  hold(name: string): void {
    this.release();
    // Without locks, every tab listens.
    if (typeof navigator.locks?.request !== "function") return;
    this.#isKeeper = false;
    const asking = new AbortController();
    const held = new Promise<void>((resolve) => {
      this.#release = () => {
        resolve();
        asking.abort();
        this.#isKeeper = true;
      };
    });
    const keep = () => {
      this.#isKeeper = true;
      this.#onChange();
      return held;
    };
    navigator.locks.request(name, { signal: asking.signal }, keep).catch(() => {
      if (!asking.signal.aborted) this.#isKeeper = true; // Not permitted here: then it is as without locks.
    });
  }

  release(): void {
    this.#release();
    this.#release = () => {};
  }

  stop(): void {
    this.release();
    clearTimeout(this.#timer);
    this.#watching.abort();
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (document.visibilityState !== "hidden") {
      this.#isLooked = true;
      this.#onChange();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#isLooked = false;
      this.#onChange();
    }, HIDDEN_MS_MAX);
  }
}
