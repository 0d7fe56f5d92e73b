import { describe, expect, test } from "vitest";
import type { Conversation, Message } from "../src/api.ts";
import {
  type Known,
  NOTHING_KNOWN,
  SNAPSHOT_MESSAGES_MAX,
  told,
  withHistory,
} from "../src/conversation.ts";

const ASKED = {
  id: "cnv_1",
  status: "requested",
  agent: null,
  offer: null,
  queue: null,
} as unknown as Conversation;

function message(number: number, type = "visitor"): Message {
  const author = { type, id: "x", name: null } as Message["author"];
  return { id: `msg_${number}`, conversation_id: "cnv_1", author, text: `${number}`, sent_at: "" };
}

function messages(from: number, to: number): Message[] {
  return Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
}

function event(type: string, data: object = {}) {
  return {
    id: type,
    type,
    conversation_id: "cnv_1",
    occurred_at: "2026-01-01T00:00:00Z",
    data: { ...data },
  };
}

function after(...events: ReturnType<typeof event>[]): Known {
  return events.reduce((known, each) => told(known, each, 1_000), NOTHING_KNOWN);
}

const snapshot = (list: Message[], more: object = {}) =>
  event("snapshot", { conversation: ASKED, messages: list, ...more });
const ids = (known: Known) => known.messages.map(({ id }) => Number(id.slice(4)));

describe("the status", () => {
  const queue = { position: 3, estimated_wait_s: 120 };
  const agent = { id: "a1", name: "Ada", avatar_url: null };
  test.each([
    ["assignment.offered", { attempt: 1 }, { status: "offered" }],
    ["conversation.queued", { queue }, { status: "queued", queue }],
    ["assignment.accepted", { agent }, { status: "active", agent, offer: null }],
    ["conversation.fell_back", { reason: "nobody_available" }, { status: "fell_back" }],
    ["conversation.withdrawn", {}, { status: "withdrawn" }],
    ["conversation.ended", { reason: "idle", by: null }, { status: "ended", ended: { reason: "idle" } }],
  ])("follows %s", (type, data, expected) => {
    expect(after(snapshot([]), event(type, data)).conversation).toMatchObject(expected);
  });

  test("keeps how the visitor rated it, once it has ended", () => {
    const rating = { score: 4, comment: null, rated_at: "2026-01-01T00:00:00Z" };
    const over = event("conversation.ended", { reason: "idle", by: null });
    const { conversation } = after(snapshot([]), over, event("conversation.rated", { rating }));
    expect(conversation).toMatchObject({ status: "ended", rating });
  });

  test("never leaves a final one", () => {
    const known = after(
      snapshot([]),
      event("conversation.ended"),
      event("assignment.offered", { attempt: 2 }),
    );
    expect(known.conversation?.status).toBe("ended");
  });

  test("is not touched by what this client does not know", () => {
    const known = after(snapshot([]));
    expect(told(known, event("conversation.sang"), 0)).toBe(known);
  });
});

describe("messages", () => {
  const posted = (number: number, type?: string) => event("message.posted", message(number, type));

  test("are each there once, in order", () => {
    expect(ids(after(snapshot(messages(1, 2)), posted(2), posted(3), posted(3)))).toEqual([1, 2, 3]);
  });

  test("of a second snapshot go on where the first ones end", () => {
    expect(ids(after(snapshot(messages(1, 3)), snapshot(messages(2, 5), { resumed: false })))).toEqual([
      1, 2, 3, 4, 5,
    ]);
  });

  test("between two snapshots that do not meet are known to be missing, until the history is read", () => {
    const known = after(snapshot(messages(1, 3)), snapshot(messages(60, 109), { resumed: false }));
    expect(known.isIncomplete).toBe(true);
    const whole = withHistory(told(known, posted(110), 0), messages(1, 109));
    expect(ids(whole)).toEqual(ids({ ...whole, messages: messages(1, 110) }));
    expect(whole.isIncomplete).toBe(false);
  });

  test("before a full first snapshot may be missing, before a shorter one not", () => {
    expect(after(snapshot(messages(1, SNAPSHOT_MESSAGES_MAX))).isIncomplete).toBe(true);
    expect(after(snapshot(messages(1, SNAPSHOT_MESSAGES_MAX - 1))).isIncomplete).toBe(false);
  });

  test("end their writer's typing and the warning", () => {
    const idle = event("conversation.idle_warning", { ends_at: "2026-01-01T00:01:00Z" });
    const known = after(
      snapshot([]),
      idle,
      event("typing", { author: { type: "agent" } }),
      posted(1, "agent"),
    );
    expect(known).toMatchObject({ typedAtMs: {}, idleEndsAt: null });
  });
});

test("typing and reading are known by side", () => {
  const known = after(
    snapshot([message(1)]),
    event("typing", { author: { type: "agent" } }),
    event("messages.read", { reader: { type: "agent", id: "a1" }, message_id: "msg_1" }),
  );
  expect(known).toMatchObject({ typedAtMs: { agent: 1_000 }, read: { agent: "msg_1" } });
});
