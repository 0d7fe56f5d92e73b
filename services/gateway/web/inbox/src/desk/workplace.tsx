// The agent's workplace: the desk and the bell, for as long as somebody is signed in.

import { browserKeep } from "@rondo/client";
import { type ReactNode, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import { useNeeds } from "../app/needs.ts";
import { showAttention, titleFor } from "../offers/attention.ts";
import { Ringer } from "../offers/sound.ts";
import { gated } from "../session/gate.ts";
import { LiveDesk } from "./live_desk.ts";
import { DeskContext } from "./use_desk.ts";

/** Opens the desk, and closes it with the page. `children` are given the bell. */
export function Workplace({ children }: { children: (ringer: Ringer) => ReactNode }) {
  const { api, gate, preferences, session } = useNeeds();
  const agentId = session.agent.id;
  const [keep] = useState(() => browserKeep("local"));
  const desk = useMemo(
    () => new LiveDesk({ api, fetch: gated(gate), agentId, keep }),
    [api, gate, agentId, keep],
  );
  const ringer = useMemo(() => new Ringer(preferences, agentId), [preferences, agentId]);
  useEffect(() => {
    desk.open();
    return () => desk.close();
  }, [desk]);
  return (
    <DeskContext value={desk}>
      <Attention desk={desk} ringer={ringer} />
      {children(ringer)}
    </DeskContext>
  );
}

/** Makes the noise, and shows what wants attention in title and icon. */
function Attention({ desk, ringer }: { desk: LiveDesk; ringer: Ringer }) {
  const { t } = useTranslation("inbox");
  const rings = useSyncExternalStore(desk.subscribe, () => desk.shown.desk.rings.length);
  const unread = useSyncExternalStore(desk.subscribe, () =>
    desk.shown.desk.chats.reduce((sum, chat) => sum + chat.unread, 0),
  );
  useEffect(() => {
    ringer.setRinging(rings > 0);
    return () => ringer.setRinging(false);
  }, [ringer, rings]);
  useEffect(() => {
    const wanting = { rings, unread };
    showAttention(
      titleFor("Rondo", wanting, (count) => t("ringing.title", { count })),
      wanting,
    );
  }, [rings, unread, t]);
  return null;
}
