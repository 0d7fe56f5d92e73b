// The places in the banner. What leaves keeps its place for a moment, with the reason: nothing that rings
// moves under a finger that is about to press.

import type { Departure, Reason, Ring } from "../desk/desk.ts";

/** How long the reason can be read. */
export const REASON_MS = 5_000;

/** One place: something that rings, or why it does not any more. */
export interface Slot {
  /** The conversation's id. */
  id: string;
  ring: Ring;
  gone: { reason: Reason | null; sinceMs: number } | null;
}

/** The places after what rings has changed. `departures` tell why something left, where that is known. */
export function slotsAfter(
  slots: readonly Slot[],
  rings: readonly Ring[],
  departures: readonly Departure[],
  nowMs: number,
): readonly Slot[] {
  const kept = slots.map((slot): Slot => {
    const ring = rings.find(({ conversation }) => conversation.id === slot.id);
    if (ring) return ring === slot.ring && !slot.gone ? slot : { id: slot.id, ring, gone: null };
    const reason = reasonFor(slot.id, departures);
    if (slot.gone) return reason ? { ...slot, gone: { ...slot.gone, reason } } : slot;
    return { ...slot, gone: { reason, sinceMs: nowMs } };
  });
  const known = new Set(slots.map(({ id }) => id));
  const fresh = rings
    .filter(({ conversation }) => !known.has(conversation.id))
    .map((ring): Slot => ({ id: ring.conversation.id, ring, gone: null }));
  return fresh.length === 0 && kept.every((slot, at) => slot === slots[at]) ? slots : [...kept, ...fresh];
}

/** The places without those whose reason could be read. */
export function slotsStill(slots: readonly Slot[], nowMs: number): readonly Slot[] {
  const left = slots.filter(({ gone }) => !gone || nowMs - gone.sinceMs < REASON_MS);
  return left.length < slots.length ? left : slots;
}

function reasonFor(id: string, departures: readonly Departure[]): Reason | null {
  return departures.findLast(({ conversation }) => conversation.id === id)?.reason ?? null;
}
