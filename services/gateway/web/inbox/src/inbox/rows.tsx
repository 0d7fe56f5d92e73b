// Rows of a list: only those in view are there, and keys go along all of them.

import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useRef } from "react";
import { VList } from "virtua";
import { useShortcuts } from "../app/shortcuts.ts";
import classes from "./lists.module.css";
import { lazyRoute } from "./page.tsx";

/** So near to the last row, more are asked for. */
const END_PX = 600;

interface RowsProps {
  label: string;
  /** Of the conversations, in the order of the rows: `J` and `K` go along them. */
  ids: readonly string[];
  /** Called when the last rows are in view. */
  onEnd?: () => void;
  children: ReactNode[];
}

/** Rows of which only those in view are there. */
export function Rows({ label, ids, onEnd, children }: RowsProps) {
  const { conversation } = lazyRoute.useSearch();
  const navigate = useNavigate();
  const step = (by: number) => {
    const at = conversation ? ids.indexOf(conversation) : -1;
    const id = ids[at < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, at + by))];
    if (id) void navigate({ to: "/", search: (before) => ({ ...before, conversation: id }) });
  };
  useShortcuts({ j: () => step(1), k: () => step(-1) });
  const list = useRef<{ scrollOffset: number; viewportSize: number; scrollSize: number } | null>(null);
  return (
    <VList
      ref={(handle) => {
        list.current = handle;
      }}
      className={classes.rows}
      role="list"
      aria-label={label}
      onScroll={() => {
        const { current } = list;
        if (current && current.scrollSize - current.scrollOffset - current.viewportSize < END_PX) onEnd?.();
      }}
    >
      {children}
    </VList>
  );
}
