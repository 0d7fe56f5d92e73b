// Who the visitor is: all that is known, a dash for what is not.

import { ActionIcon } from "@mantine/core";
import { answered, type Conversation, type components } from "@rondo/client";
import { IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import { useApi } from "../app/needs.ts";
import { useNow } from "../app/now.ts";
import { useShown } from "../desk/use_desk.ts";
import { whyText } from "../offers/why.ts";
import { dateTimeText, localTimeText, timeText } from "../words/times.ts";
import { useWords } from "../words/use_words.ts";
import { nameOf, pageText, type Visitor, valueText, visitorZone } from "../words/visitor.ts";
import classes from "./visitor.module.css";

type Attempt = components["schemas"]["Attempt"];
const EARLIER_MAX = 10;

const FIELDS = [
  "email",
  "phone",
  "company",
  "job_title",
  "crm_status",
  "company_size",
  "industry",
  "language",
  "country",
  "state",
  "city",
] as const satisfies readonly (keyof Visitor)[];

interface VisitorPaneProps {
  conversationId: string;
  onClose: () => void;
}

/** The pane at the end. */
export function VisitorPane({ conversationId, onClose }: VisitorPaneProps) {
  const { t } = useTranslation("inbox");
  const known = useShown(({ threads }) => threads.get(conversationId)?.known.conversation);
  const ring = useShown(({ desk }) => desk.rings.find((each) => each.conversation.id === conversationId));
  const conversation = known ?? ring?.conversation;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: so that it can be scrolled by keyboard.
    <aside className={`visitor-pane ${classes.pane}`} aria-label={t("visitor.label")} tabIndex={0}>
      <ActionIcon
        className={classes.close ?? ""}
        variant="subtle"
        color="gray"
        size={38}
        aria-label={t("visitor.close")}
        onClick={onClose}
      >
        <IconX size={18} aria-hidden />
      </ActionIcon>
      {conversation ? <Facts conversation={conversation} /> : null}
    </aside>
  );
}

function Facts({ conversation }: { conversation: Conversation }) {
  const { t } = useTranslation("inbox");
  const { visitor, page, answers } = conversation;
  const attributes = Object.entries(visitor.attributes ?? {});
  return (
    <>
      <h2 className={classes.name}>
        <bdi>{nameOf(visitor) ?? t("visitor.unnamed")}</bdi>
      </h2>
      <LocalTime visitor={visitor} />
      <Section title={t("visitor.page")}>{page ? <PageLink url={page.url} /> : <span>–</span>}</Section>
      <Section title={t("visitor.answers")}>
        <Pairs pairs={Object.entries(answers)} />
      </Section>
      <Section title={t("visitor.profile")}>
        <Pairs pairs={FIELDS.map((field) => [t(`fields.${field}`), visitor[field]])} />
      </Section>
      {attributes.length > 0 ? (
        <Section title={t("visitor.attributes")}>
          <Pairs pairs={attributes} />
        </Section>
      ) : null}
      <WhyThisAgent conversation={conversation} />
      <Earlier conversation={conversation} />
    </>
  );
}

function LocalTime({ visitor }: { visitor: Visitor }) {
  const { t } = useTranslation("inbox");
  const { language } = useWords();
  const now = useNow(20_000);
  const zone = visitorZone(visitor);
  const time = zone ? localTimeText(zone, now, language) : null;
  return <p className={classes.quiet}>{t("visitor.local_time", { time: time ?? "–" })}</p>;
}

function PageLink({ url }: { url: string }) {
  const isSafe = /^https?:\/\//i.test(url);
  if (!isSafe) return <span className={classes.value}>{url}</span>;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow" className={classes.page} dir="ltr">
      {pageText(url)}
    </a>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={classes.section}>
      <h3 id={id}>{title}</h3>
      {children}
    </section>
  );
}

function Pairs({ pairs }: { pairs: readonly (readonly [string, unknown])[] }) {
  if (pairs.length === 0) return <span>–</span>;
  return (
    <dl className={classes.pairs}>
      {pairs.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <bdi>{valueText(value)}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Each attempt, whom it was made to and why, and who was passed over. The first line tells of accounts too. */
function WhyThisAgent({ conversation }: { conversation: Conversation }) {
  const { t } = useTranslation("inbox");
  const api = useApi();
  const path = { conversation_id: conversation.id };
  const assignments = useQuery({
    queryKey: ["assignments", conversation.id, conversation.status, conversation.agent?.id],
    queryFn: () =>
      answered(api.GET("/v1/conversations/{conversation_id}/assignments", { params: { path } })),
    staleTime: 60_000,
  });
  const attempts = assignments.data?.data ?? [];
  const owner = attempts.find(({ stage }) => stage.startsWith("account_owner"));
  return (
    <>
      <Section title={t("visitor.account")}>
        <Pairs
          pairs={[
            [t("fields.company"), conversation.visitor.company],
            [t("visitor.owner"), owner?.agent.name],
          ]}
        />
      </Section>
      <Section title={t("visitor.why")}>
        {attempts.length === 0 ? <span>–</span> : null}
        <ol className={classes.attempts}>
          {attempts.map((attempt) => (
            <AttemptLine key={attempt.attempt} attempt={attempt} conversation={conversation} />
          ))}
        </ol>
      </Section>
    </>
  );
}

function AttemptLine({ attempt, conversation }: { attempt: Attempt; conversation: Conversation }) {
  const { t } = useTranslation("inbox");
  const { language, zone } = useWords();
  const { agent, outcome, outcome_at: at, why, transferred_by: from } = attempt;
  return (
    <li>
      <div>
        <strong>{agent.name}</strong> · {t(`outcome.${outcome}`)}
        {at ? ` ${timeText(at, language, zone)}` : null}
      </div>
      <div className={classes.quiet}>
        {from ? t("why.handed_over", { name: from.name }) : whyText(t, why, conversation.route.type)}
      </div>
      {why.passed_over?.map((passed) => (
        <div key={passed.agent_id} className={classes.quiet}>
          {passed.agent_id}: {t(`passed.${passed.reason}`)}
        </div>
      ))}
    </li>
  );
}

/** What the same visitor asked before. */
function Earlier({ conversation }: { conversation: Conversation }) {
  const { t } = useTranslation("inbox");
  const { language, zone } = useWords();
  const api = useApi();
  const query = { visitor_id: conversation.visitor.id, limit: EARLIER_MAX };
  const found = useQuery({
    queryKey: ["conversations", query],
    queryFn: () => answered(api.GET("/v1/conversations", { params: { query } })),
    staleTime: 30_000,
  });
  const earlier = (found.data?.data ?? []).filter(({ id }) => id !== conversation.id);
  return (
    <Section title={t("visitor.earlier")}>
      {earlier.length === 0 ? <span>–</span> : null}
      <ul className={classes.earlier}>
        {earlier.map((each) => (
          <li key={each.id}>
            <Link to="/" search={(before) => ({ ...before, conversation: each.id })}>
              {dateTimeText(each.requested_at, language, zone)}
            </Link>
            <span className={classes.quiet}>
              {[t(`status.${each.status}`), each.agent?.name].filter(Boolean).join(" · ")}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
