// What rings, over everything, on whatever page: oldest first, until there is an answer.

import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconVolumeOff } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useReducer, useRef, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import { problemText } from "../app/problem.ts";
import { useShortcuts } from "../app/shortcuts.ts";
import type { Departure, Ring } from "../desk/desk.ts";
import { useDesk, useShown } from "../desk/use_desk.ts";
import { nameOf, pageText, valueText } from "../words/visitor.ts";
import classes from "./banner.module.css";
import { Countdown } from "./countdown.tsx";
import { type Slot, slotsAfter, slotsStill } from "./slots.ts";
import type { Ringer } from "./sound.ts";
import { whyText } from "./why.ts";

/** How many answers of the dialogue a card has room for. */
const ANSWERS_MAX = 3;

/** The banner; nothing while nothing rings. */
export function RingingBanner({ ringer }: { ringer: Ringer }) {
  const { t } = useTranslation("inbox");
  const { slots, onPointer } = useSlots();
  const banner = useRef<HTMLElement>(null);
  useShortcuts({
    r: () => banner.current?.querySelector<HTMLElement>("[data-ringing]")?.focus(),
  });
  const ringing = slots.filter(({ gone }) => !gone);
  return (
    <>
      {slots.length > 0 ? (
        <section
          ref={banner}
          className={classes.banner}
          aria-label={t("ringing.label", { count: ringing.length })}
          onPointerEnter={() => onPointer(true)}
          onPointerLeave={() => onPointer(false)}
        >
          {slots.map((slot) =>
            slot.gone ? (
              <GoneCard key={slot.id} slot={slot} />
            ) : (
              <RingCard key={slot.id} ring={slot.ring} />
            ),
          )}
          {ringing.length > 0 ? <SilenceNote ringer={ringer} /> : null}
        </section>
      ) : null}
      <div className="visually-hidden" role="status" aria-live="assertive">
        {ringing.map(({ id, ring }) => (
          <span key={id}>
            {t("ringing.announced", {
              name: nameOf(ring.conversation.visitor) ?? t("visitor.unnamed"),
            })}{" "}
          </span>
        ))}
      </div>
    </>
  );
}

/** The browser keeps the page silent: one click ends that. */
function SilenceNote({ ringer }: { ringer: Ringer }) {
  const { t } = useTranslation("inbox");
  const isBlocked = useSyncExternalStore(ringer.subscribe, () => ringer.isBlocked);
  if (!isBlocked) return null;
  return (
    <button type="button" className={classes.silence} onClick={() => void ringer.test()}>
      <IconVolumeOff size={16} aria-hidden />
      <span>{t("sound.blocked")}</span>
    </button>
  );
}

type SlotsAction =
  | { do: "see"; rings: readonly Ring[]; departures: readonly Departure[] }
  | { do: "clear" };

/** The places of the banner. Those that are empty close when their time is up and no pointer is near. */
function useSlots() {
  const { t } = useTranslation("inbox");
  const desk = useDesk();
  const rings = useShown(({ desk: { rings } }) => rings);
  const hasDepartures = useShown(({ desk: { departures } }) => departures.length > 0);
  const [slots, act] = useReducer((before: readonly Slot[], action: SlotsAction) => {
    const now = Date.now();
    return action.do === "see"
      ? slotsAfter(before, action.rings, action.departures, now)
      : slotsStill(before, now);
  }, []);
  const isPointed = useRef(false);
  useEffect(() => {
    const departures = hasDepartures ? desk.takeDepartures() : [];
    act({ do: "see", rings, departures });
    for (const { id, conversation, reason, to } of departures) {
      if (reason !== "handed_over") continue;
      const name = nameOf(conversation.visitor) ?? t("visitor.unnamed");
      notifications.show({ id, message: t("gone.handed_over", { name, to: to?.name ?? "" }) });
    }
  }, [rings, hasDepartures, desk, t]);
  const hasGone = slots.some(({ gone }) => gone);
  useEffect(() => {
    if (!hasGone) return;
    const timer = setInterval(() => {
      if (!isPointed.current) act({ do: "clear" });
    }, 500);
    return () => clearInterval(timer);
  }, [hasGone]);
  const onPointer = (isHere: boolean) => {
    isPointed.current = isHere;
  };
  return { slots, onPointer };
}

/** A chat that rings. `A` accepts and `D` declines while the focus is in it. */
function RingCard({ ring }: { ring: Ring }) {
  const { t } = useTranslation("inbox");
  const { conversation } = ring;
  const { answering, accept, decline } = useAnswers(conversation.id);
  const name = nameOf(conversation.visitor) ?? t("visitor.unnamed");
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || answering) return;
    const action = { a: accept, d: decline }[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  return (
    <article
      className={classes.card}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever works by keyboard gets to the card, and its keys.
      tabIndex={0}
      data-ringing
      aria-label={t("ringing.card", { name })}
      onKeyDown={press}
    >
      <Countdown offeredAt={ring.offeredAt} expiresAt={ring.expiresAt} />
      <Who ring={ring} />
      <div className={classes.buttons}>
        <Button
          color="ring.7"
          onClick={accept}
          loading={answering === "accept"}
          disabled={answering === "decline"}
          aria-keyshortcuts="A"
        >
          {t("ringing.accept")}
        </Button>
        <Button
          variant="default"
          onClick={decline}
          loading={answering === "decline"}
          disabled={answering === "accept"}
          aria-keyshortcuts="D"
        >
          {t("ringing.decline")}
        </Button>
      </div>
    </article>
  );
}

/** Who it is, from where, what they answered, and why it rings here. */
function Who({ ring }: { ring: Ring }) {
  const { t } = useTranslation("inbox");
  const { conversation, from } = ring;
  const { visitor, page, answers } = conversation;
  const name = nameOf(visitor) ?? t("visitor.unnamed");
  return (
    <div className={classes.who}>
      <div className={classes.name}>
        <bdi>{name}</bdi>
        {visitor.company ? (
          <span className={classes.company}>
            {" "}
            · <bdi>{visitor.company}</bdi>
          </span>
        ) : null}
      </div>
      {page ? (
        <div className={classes.page} dir="ltr" title={page.url}>
          {pageText(page.url)}
        </div>
      ) : null}
      <Answers answers={answers} />
      <div className={classes.why}>
        {from ? t("why.handed_over", { name: from.name }) : whyText(t, ring.why, conversation.route.type)}
      </div>
    </div>
  );
}

function useAnswers(conversationId: string) {
  const { t } = useTranslation("app");
  const desk = useDesk();
  const navigate = useNavigate();
  const answering = useShown(({ answering }) => answering.get(conversationId));
  const failed = (error: unknown) => notifications.show({ color: "red", message: problemText(t, error) });
  const accept = () => {
    desk.accept(conversationId).then((conversation) => {
      if (conversation.status !== "active") return;
      void navigate({ to: "/", search: { conversation: conversationId } });
    }, failed);
  };
  const decline = () => {
    desk.decline(conversationId).catch(failed);
  };
  return { answering, accept, decline };
}

function Answers({ answers }: { answers: Record<string, unknown> }) {
  const shown = Object.entries(answers).slice(0, ANSWERS_MAX);
  if (shown.length === 0) return null;
  return (
    <dl className={classes.answers}>
      {shown.map(([question, answer]) => (
        <div key={question}>
          <dt>{question}</dt>
          <dd>
            <bdi>{valueText(answer)}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Where something rang a moment ago, as high as it was, and why it does not any more. */
function GoneCard({ slot }: { slot: Slot }) {
  const { t } = useTranslation("inbox");
  const { conversation } = slot.ring;
  const reason = slot.gone?.reason;
  return (
    <div className={classes.gone}>
      <div className={classes.card} aria-hidden inert>
        <div className={classes.countdown} />
        <Who ring={slot.ring} />
        <div className={classes.buttons}>
          <Button>{t("ringing.accept")}</Button>
          <Button>{t("ringing.decline")}</Button>
        </div>
      </div>
      <p role="status">
        <bdi>{nameOf(conversation.visitor) ?? t("visitor.unnamed")}</bdi>
        {" – "}
        {t(reason && reason !== "handed_over" ? `gone.${reason}` : "gone.answered")}
      </p>
    </div>
  );
}
