// The desk in components.

import { createContext, useContext, useRef, useSyncExternalStore } from "react";
import type { LiveDesk, Shown } from "./live_desk.ts";

/** Provided by the shell. */
export const DeskContext = createContext<LiveDesk | null>(null);

/** The desk, to do something. */
export function useDesk(): LiveDesk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("there is a desk only inside the shell");
  return desk;
}

/** A part of what the desk shows. The component is drawn anew only when that part is another one. */
export function useShown<Part>(select: (shown: Shown) => Part): Part {
  const desk = useDesk();
  const last = useRef<{ shown: Shown; part: Part } | null>(null);
  return useSyncExternalStore(desk.subscribe, () => {
    if (last.current?.shown !== desk.shown) last.current = { shown: desk.shown, part: select(desk.shown) };
    return last.current.part;
  });
}
