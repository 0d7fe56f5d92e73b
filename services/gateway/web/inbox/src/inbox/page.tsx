// The inbox: conversations, the conversation, the visitor. On a phone one at a time.

import { IconMessages } from "@tabler/icons-react";
import { createLazyRoute } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNeeds } from "../app/needs.ts";
import { Empty, Loading } from "../app/states.tsx";
import { useChosen } from "../app/surface.tsx";
import { useDesk, useShown } from "../desk/use_desk.ts";
import { ListPane } from "./lists.tsx";
import classes from "./page.module.css";

export const lazyRoute = createLazyRoute("/shell/")({ component: InboxPage });

// A conversation is loaded with the first that is opened; the list is there before.
const ConversationPane = lazy(() =>
  import("./conversation.tsx").then(({ ConversationPane }) => ({ default: ConversationPane })),
);
const VisitorPane = lazy(() =>
  import("./visitor.tsx").then(({ VisitorPane }) => ({ default: VisitorPane })),
);

function InboxPage() {
  const { t } = useTranslation("inbox");
  const { conversation: id } = lazyRoute.useSearch();
  const { preferences } = useNeeds();
  const { showsVisitor } = useChosen(preferences);
  // On a narrow page the visitor covers the conversation, until it is put away.
  const [isVisitorOver, setVisitorOver] = useState(false);
  useOpenThread(id);
  useEffect(() => {
    if (id) setVisitorOver(false);
  }, [id]);
  const onVisitor = () => {
    if (window.matchMedia("(min-width: 75em)").matches) preferences.choose({ showsVisitor: !showsVisitor });
    else setVisitorOver((before) => !before);
  };
  return (
    <div
      className={classes.panes}
      data-open={id !== undefined || undefined}
      data-visitor={showsVisitor || undefined}
      data-visitor-over={isVisitorOver || undefined}
    >
      <h1 className="visually-hidden">{t("title")}</h1>
      <ListPane />
      {id ? (
        <Suspense fallback={<Loading />}>
          <ConversationPane key={id} conversationId={id} onVisitor={onVisitor} />
          <VisitorPane key={`visitor ${id}`} conversationId={id} onClose={onVisitor} />
        </Suspense>
      ) : (
        <section className={classes.nothing} aria-label={t("conversation.label")}>
          <Empty icon={<IconMessages size={36} stroke={1.4} />} title={t("conversation.none")}>
            {t("conversation.none_help")}
          </Empty>
        </section>
      )}
    </div>
  );
}

/** The conversation is loaded; and again when it is the agent's now, for then more of it can be seen. */
function useOpenThread(id: string | undefined): void {
  const desk = useDesk();
  const isKnown = useShown(({ desk }) => desk.isKnown);
  useEffect(() => {
    if (id && isKnown) desk.openThread(id);
  }, [id, isKnown, desk]);
}
