// What is left of an offer: a ring that closes, and the seconds.

import { useTranslation } from "react-i18next";
import { useNow } from "../app/now.ts";
import classes from "./banner.module.css";

interface CountdownProps {
  offeredAt: string;
  expiresAt: string;
}

/** The ring runs by itself; only the number is drawn anew. */
export function Countdown({ offeredAt, expiresAt }: CountdownProps) {
  const { t } = useTranslation("inbox");
  const now = useNow(500);
  const wholeMs = Math.max(1, Date.parse(expiresAt) - Date.parse(offeredAt));
  const leftMs = Math.min(wholeMs, Math.max(0, Date.parse(expiresAt) - now));
  const seconds = Math.ceil(leftMs / 1_000);
  return (
    <div className={classes.countdown} role="timer" aria-label={t("ringing.left", { count: seconds })}>
      <svg viewBox="0 0 44 44" aria-hidden="true">
        <circle cx="22" cy="22" r="19" className={classes.track} />
        <circle
          cx="22"
          cy="22"
          r="19"
          pathLength="100"
          className={classes.left}
          strokeDasharray="100"
          strokeDashoffset={100 - (leftMs / wholeMs) * 100}
        />
      </svg>
      <span aria-hidden="true">{seconds}</span>
    </div>
  );
}
