// Time that is moved by hand, and a browser that says what it is told to.

import type { Surroundings, Wakeup } from "../src/surroundings.ts";

interface Timer {
  dueMs: number;
  action: () => void;
}

export class ManualSurroundings implements Surroundings {
  #nowMs = 1_700_000_000_000;
  #timers: Timer[] = [];
  #watchers = new Set<(what: Wakeup) => void>();
  online = true;
  chance = 0;

  now = () => this.#nowMs;
  random = () => this.chance;
  isOnline = () => this.online;

  after(delayMs: number, action: () => void) {
    const timer = { dueMs: this.#nowMs + delayMs, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  watch(notice: (what: Wakeup) => void) {
    this.#watchers.add(notice);
    return () => void this.#watchers.delete(notice);
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Moves time on, firing what falls due, and lets everything settle. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      const next = this.#timers
        .filter((timer) => timer.dueMs <= untilMs)
        .sort((a, b) => a.dueMs - b.dueMs)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.action();
    }
    this.#nowMs = untilMs;
    await settle();
  }

  /** As when a laptop sleeps: time passes, and no timer fires. */
  sleep(ms: number): void {
    this.#nowMs += ms;
  }

  async notice(what: Wakeup): Promise<void> {
    this.online = what === "visible" ? this.online : what === "online";
    for (const notice of [...this.#watchers]) notice(what);
    await settle();
  }
}

/** Lets everything that is ready to run do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setTimeout(resolve));
}
