// A person's picture, or the first letters of their name.

import { useState } from "react";
import classes from "./face.module.css";

/** For the eye only: the name stands beside it. */
export function Face({ name, src }: { name: string; src?: string | null }) {
  const [isBroken, setBroken] = useState(false);
  const isPicture = Boolean(src) && !isBroken;
  // The letters are drawn by the style sheet: they are no words that a button could be called by.
  return (
    <span className={classes.face} data-initials={isPicture ? undefined : initialsOf(name)} aria-hidden>
      {isPicture && <img src={src ?? ""} alt="" onError={() => setBroken(true)} />}
    </span>
  );
}

/** The first letters of the first and the last word. */
export function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map(
    (word) => [...(word ?? "")][0] ?? "",
  );
  return letters.join("").toLocaleUpperCase();
}
