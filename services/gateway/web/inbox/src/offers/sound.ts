// The sound of a chat that rings: made here, so that nothing need be loaded when it matters.

import type { Preferences, Sound } from "../settings/preferences.ts";

/** It repeats gently, until there is an answer. */
export const REPEAT_MS = 2_600;

interface Note {
  hertz: number;
  /** After the beginning, and how long it can be heard. */
  atS: number;
  lengthS: number;
  /** Overtones: how often the frequency, and how loud. */
  partials: readonly (readonly [number, number])[];
}

const PURE = [[1, 1]] as const;
const METAL = [
  [1, 0.7],
  [2.76, 0.25],
  [5.4, 0.08],
] as const;
const WOOD = [
  [1, 0.85],
  [3.93, 0.2],
] as const;

const NOTES: Record<Sound, readonly Note[]> = {
  chime: [
    { hertz: 784, atS: 0, lengthS: 0.9, partials: PURE },
    { hertz: 1175, atS: 0.22, lengthS: 1.1, partials: PURE },
  ],
  bell: [{ hertz: 620, atS: 0, lengthS: 1.8, partials: METAL }],
  marimba: [
    { hertz: 523, atS: 0, lengthS: 0.4, partials: WOOD },
    { hertz: 659, atS: 0.15, lengthS: 0.4, partials: WOOD },
    { hertz: 784, atS: 0.3, lengthS: 0.6, partials: WOOD },
  ],
};

/**
 * Rings in one tab of this browser at a time: the tab that holds the lock makes the noise, and when it is
 * closed another one goes on.
 */
export class Ringer {
  readonly #preferences: Preferences;
  readonly #lock: string;
  readonly #listeners = new Set<() => void>();
  #audio: AudioContext | null = null;
  #ringing: AbortController | null = null;
  #isBlocked = false;

  constructor(preferences: Preferences, agentId: string) {
    this.#preferences = preferences;
    this.#lock = `rondo:ringing:${agentId}`;
  }

  /** Whether the browser keeps the page silent until somebody has clicked on it. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Begins or ends the noise. */
  setRinging(isRinging: boolean): void {
    if (isRinging === (this.#ringing !== null)) return;
    this.#ringing?.abort();
    this.#ringing = null;
    if (!isRinging) return;
    this.#ringing = new AbortController();
    void this.#ring(this.#ringing.signal);
  }

  /** Plays the chosen sound once. Called by a click, which also tells the browser that noise is welcome. */
  async test(): Promise<void> {
    await this.#play(this.#preferences.chosen.sound);
  }

  async #ring(signal: AbortSignal): Promise<void> {
    const untilOver = async () => {
      while (!signal.aborted) {
        if (this.#preferences.chosen.isSoundOn) await this.#play(this.#preferences.chosen.sound);
        await pause(REPEAT_MS, signal);
      }
    };
    try {
      // Browsers without the lock (and pages without HTTPS) make noise in every tab, rather than in none.
      if (navigator.locks) await navigator.locks.request(this.#lock, { signal }, untilOver);
      else await untilOver();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #play(sound: Sound): Promise<void> {
    if (typeof AudioContext === "undefined") return;
    this.#audio ??= new AudioContext();
    const audio = this.#audio;
    if (audio.state === "suspended") {
      // It stays pending for as long as the browser forbids it.
      void audio.resume().then(() => this.#setBlocked(false));
      await pause(50);
    }
    this.#setBlocked(audio.state !== "running");
    if (audio.state !== "running") return;
    const out = audio.createGain();
    out.gain.value = this.#preferences.chosen.volume ** 2 * 0.5; // As loud as the slider looks.
    out.connect(audio.destination);
    for (const note of NOTES[sound]) strike(audio, out, note);
  }

  #setBlocked(isBlocked: boolean): void {
    if (this.#isBlocked === isBlocked) return;
    this.#isBlocked = isBlocked;
    for (const listener of this.#listeners) listener();
  }
}

function strike(audio: AudioContext, out: AudioNode, { hertz, atS, lengthS, partials }: Note): void {
  const from = audio.currentTime + atS;
  for (const [times, loudness] of partials) {
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = hertz * times;
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(loudness, from + 0.012);
    gain.gain.exponentialRampToValueAtTime(0.0001, from + lengthS / Math.sqrt(times));
    tone.connect(gain).connect(out);
    tone.start(from);
    tone.stop(from + lengthS);
  }
}

function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
