// Whether what is shown is true now: a lost connection shows at once, and its return says what was missed.

import { notifications } from "@mantine/notifications";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useShown } from "../desk/use_desk.ts";
import classes from "./presence.module.css";

/** Nothing while all is well. */
export function Connection() {
  const { t } = useTranslation("inbox");
  const is = useShown(({ stream }) => stream.is);
  const isKnown = useShown(({ desk }) => desk.isKnown);
  const returns = useShown((shown) => shown.returns);
  const told = useRef(returns);
  useEffect(() => {
    if (returns === told.current) return;
    told.current = returns;
    notifications.show({ id: "connection", message: t("connection.back"), autoClose: 4_000 });
  }, [returns, t]);
  if (is === "open" || (is === "connecting" && !isKnown) || (is === "closed" && !isKnown)) return null;
  return (
    <div className={classes.lost} role="status">
      <IconPlugConnectedX size={18} aria-hidden />
      <span>{t(is === "offline" ? "connection.offline" : "connection.lost")}</span>
    </div>
  );
}
