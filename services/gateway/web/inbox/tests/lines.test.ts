import type { Conversation, Message, OutgoingMessage } from "@rondo/client";
import { expect, test } from "vitest";
import { happeningsOf, linesOf } from "../src/inbox/lines.ts";

const message = (id: string, by: "visitor" | "agent", at: string): Message => ({
  id,
  conversation_id: "cnv_1",
  author: { type: by, id: by, name: null },
  text: id,
  sent_at: at,
});
const ZONE = "Europe/Stockholm";
const shape = (lines: ReturnType<typeof linesOf>) =>
  lines.map((line) =>
    line.is === "message"
      ? `${line.message.id}${line.isFirst ? "^" : ""}${line.isLast ? "$" : ""}`
      : line.is === "happening"
        ? line.happening.what
        : line.is === "day"
          ? line.key
          : `>${line.outgoing.client_message_id}`,
  );

test("messages of one side are grouped, days are told in the agent's zone", () => {
  const lines = linesOf(
    [
      message("1", "visitor", "2026-11-24T22:50:00Z"),
      message("2", "visitor", "2026-11-24T22:51:00Z"),
      message("3", "agent", "2026-11-24T22:52:00Z"),
      message("4", "agent", "2026-11-24T23:01:00Z"),
      message("5", "agent", "2026-11-24T23:20:00Z"),
    ],
    [],
    [],
    ZONE,
  );
  expect(shape(lines)).toEqual(["day 2026-11-24", "1^", "2$", "3^$", "day 2026-11-25", "4^$", "5^$"]);
});

test("what happened stands where it happened", () => {
  const conversation = {
    requested_at: "2026-11-24T12:00:00Z",
    ended: { reason: "visitor_ended", by: {}, at: "2026-11-24T12:10:00Z" },
  } as unknown as Conversation;
  const attempts = [
    { agent: { id: "g", name: "Grace" }, outcome: "timed_out", outcome_at: "2026-11-24T12:01:00Z" },
    { agent: { id: "a", name: "Ada" }, outcome: "accepted", outcome_at: "2026-11-24T12:02:00Z" },
    { agent: { id: "e", name: "Edsger" }, outcome: "open", outcome_at: null },
  ] as never;
  const lines = linesOf(
    [message("1", "visitor", "2026-11-24T12:03:00Z")],
    happeningsOf(conversation, attempts),
    [],
    ZONE,
  );
  expect(shape(lines)).toEqual(["day 2026-11-24", "requested", "missed", "joined", "1^$", "ended"]);
});

test("a message on its way is shown until it has arrived, and never twice", () => {
  const outgoing = (id: string, message_id?: string): OutgoingMessage => ({
    client_message_id: id,
    text: id,
    state: message_id ? "sent" : "sending",
    ...(message_id && { message_id }),
  });
  const lines = linesOf(
    [message("1", "agent", "2026-11-24T12:00:00Z")],
    [],
    [outgoing("a", "1"), outgoing("b")],
    ZONE,
  );
  expect(shape(lines)).toEqual(["day 2026-11-24", "1^$", ">b"]);
});

test("every line of ten thousand messages has a key of its own", () => {
  const many = Array.from({ length: 10_000 }, (_, at) =>
    message(
      `m${at}`,
      at % 3 ? "agent" : "visitor",
      new Date(Date.UTC(2026, 0, 1) + at * 60_000).toISOString(),
    ),
  );
  const lines = linesOf(many, [], [], ZONE);
  expect(new Set(lines.map(({ key }) => key)).size).toBe(lines.length);
});
