// A person's picture, or the first letters of their name.

import { useState } from "react";
import classes from "./face.module.css";

/** For the eye only: the name stands beside it. */
export function Face({ name, src }: { name: string; src?: string | null }) {
  const [isBroken, setBroken] = useState(false);
  return (
    <span className={classes.face} aria-hidden>
      {src && !isBroken ? <img src={src} alt="" onError={() => setBroken(true)} /> : initialsOf(name)}
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
