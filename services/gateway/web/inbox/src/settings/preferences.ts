// What a person has chosen for this browser: language, direction, sound. It outlasts reloads.

import { browserKeep, type Keep } from "@rondo/client";

export const LANGUAGES = ["en", "sv"] as const;
export type Language = (typeof LANGUAGES)[number];
export const DIRECTIONS = ["auto", "ltr", "rtl"] as const;
export type Direction = (typeof DIRECTIONS)[number];
export const SOUNDS = ["chime", "bell", "marimba"] as const;
export type Sound = (typeof SOUNDS)[number];

/** Everything that is chosen per browser. */
export interface Chosen {
  /** `null`: as the browser says. */
  language: Language | null;
  direction: Direction;
  isSoundOn: boolean;
  sound: Sound;
  /** From 0 to 1. */
  volume: number;
  /** Whether the visitor's pane is shown beside the conversation, where there is room. */
  showsVisitor: boolean;
}

export const DEFAULTS: Chosen = {
  language: null,
  direction: "auto",
  isSoundOn: true,
  sound: "chime",
  volume: 0.6,
  showsVisitor: true,
};

const NAME = "rondo:preferences";

/** What was chosen, and who wants to know of changes. */
export class Preferences {
  readonly #keep: Keep;
  readonly #listeners = new Set<() => void>();
  #chosen: Chosen;

  constructor(keep: Keep) {
    this.#keep = keep;
    this.#chosen = chosenIn(keep.get(NAME));
  }

  get chosen(): Chosen {
    return this.#chosen;
  }

  /** Changes some of it, here and for the next time. */
  choose(change: Partial<Chosen>): void {
    this.#chosen = { ...this.#chosen, ...change };
    this.#keep.set(NAME, JSON.stringify(this.#chosen));
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after each change; the returned function ends that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

/** Those of this browser. */
export function browserPreferences(): Preferences {
  return new Preferences(browserKeep("local"));
}

/** What a kept text says; what it does not say, or says wrongly, is as by default. */
export function chosenIn(text: string | null): Chosen {
  let kept: Record<string, unknown> = {};
  try {
    kept = Object(JSON.parse(text ?? "{}"));
  } catch {}
  const among = <Value>(values: readonly Value[], value: unknown, otherwise: Value) =>
    values.includes(value as Value) ? (value as Value) : otherwise;
  const { volume } = kept;
  return {
    language: among([null, ...LANGUAGES], kept.language, DEFAULTS.language),
    direction: among(DIRECTIONS, kept.direction, DEFAULTS.direction),
    isSoundOn: among([true, false], kept.isSoundOn, DEFAULTS.isSoundOn),
    sound: among(SOUNDS, kept.sound, DEFAULTS.sound),
    volume: typeof volume === "number" && volume >= 0 && volume <= 1 ? volume : DEFAULTS.volume,
    showsVisitor: among([true, false], kept.showsVisitor, DEFAULTS.showsVisitor),
  };
}
