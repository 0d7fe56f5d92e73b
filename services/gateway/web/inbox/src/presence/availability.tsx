// Whether the agent is rung: the switch, what it does and until when, and how busy they are.

import { Popover, UnstyledButton } from "@mantine/core";
import { answered } from "@rondo/client";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useApi, useSession } from "../app/needs.ts";
import { useNow } from "../app/now.ts";
import { Loading } from "../app/states.tsx";
import { useShown } from "../desk/use_desk.ts";
import { availabilityText } from "../words/availability.ts";
import { useWords } from "../words/use_words.ts";
import classes from "./presence.module.css";

const Switching = lazy(() => import("./switching.tsx"));

/** The state in words; pressed, the switch. */
export function AvailabilityControl() {
  const { t } = useTranslation("inbox");
  const words = useWords();
  const now = useNow(30_000);
  const [isOpen, setOpen] = useState(false);
  const availability = useShown(({ desk }) => desk.availability);
  if (!availability) return null;
  const text = availabilityText(t, availability, { ...words, now });
  return (
    <Popover
      opened={isOpen}
      onChange={setOpen}
      position="bottom-end"
      width={300}
      shadow="md"
      trapFocus
      withinPortal
    >
      <Popover.Target>
        <UnstyledButton
          className={classes.availability}
          data-available={availability.available || undefined}
          aria-expanded={isOpen}
          onClick={() => setOpen((before) => !before)}
        >
          <span className={classes.dot} aria-hidden />
          <span className={classes.words}>{text}</span>
          <LoadText />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Suspense fallback={<Loading />}>
          <Switching text={text} />
        </Suspense>
      </Popover.Dropdown>
    </Popover>
  );
}

/** `3 of 10`: what the agent has and what rings, of what they may have. */
function LoadText() {
  const { t } = useTranslation("inbox");
  const load = useShown(({ desk }) => desk.chats.length + desk.rings.length);
  const capacity = useCapacity();
  return (
    <span className={classes.load}>
      {capacity === null ? t("load.only", { count: load }) : t("load.of", { load, capacity })}
    </span>
  );
}

function useCapacity(): number | null {
  const api = useApi();
  const { agent } = useSession();
  const roster = useQuery({
    queryKey: ["roster"],
    queryFn: () => answered(api.GET("/v1/roster")),
    staleTime: 60_000,
  });
  return roster.data?.data.find(({ id }) => id === agent.id)?.capacity ?? null;
}
