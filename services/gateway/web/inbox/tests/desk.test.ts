import type { Conversation, LiveEvent } from "@rondo/client";
import { describe, expect, test } from "vitest";
import {
  type Desk,
  deskAfter,
  EMPTY_DESK,
  inOrder,
  waitingSinceOf,
  withMessages,
} from "../src/desk/desk.ts";

const ME = { id: "ada", name: "Ada", avatar_url: null };
const GRACE = { id: "grace", name: "Grace", avatar_url: null };
const NOW = Date.parse("2026-11-24T12:00:00Z");

let count = 0;
function event(type: string, conversation_id: string | null, data: object): LiveEvent {
  count += 1;
  const occurred_at = "2026-11-24T12:00:00Z";
  return { id: `evt_${count}`, type, conversation_id, occurred_at, data: data as LiveEvent["data"] };
}

function after(...events: LiveEvent[]): Desk {
  return events.reduce((desk, each) => deskAfter(desk, each, NOW), EMPTY_DESK);
}

const REQUEST = {
  visitor: { id: "u-1", first_name: "Bo" },
  route: { type: "round_robin" },
  page: { url: "https://shop.example/lamps" },
  answers: { topic: "prices" },
  requested_at: "2026-11-24T11:59:58Z",
};

function offered(
  id: string,
  { attempt = 1, at = "2026-11-24T12:00:00Z", from = null as object | null } = {},
) {
  const expires_at = new Date(Date.parse(at) + 100_000).toISOString();
  const why = { stage: "round_robin", passed_over_count: 2 };
  return event("assignment.offered", id, {
    agent: ME,
    attempt,
    offered_at: at,
    expires_at,
    why,
    request: REQUEST,
    ...(from && { transferred_by: from }),
  });
}

const accepted = (id: string) => event("assignment.accepted", id, { agent: ME, attempt: 1 });
const said = (id: string, by: "visitor" | "agent", message: string, at = "2026-11-24T12:01:00Z") =>
  event("message.posted", id, {
    id: message,
    author: { type: by, id: by, name: null },
    text: message,
    sent_at: at,
    client_message_id: `c-${message}`,
  });
const conversation = (id: string, change: object = {}): Conversation =>
  ({
    id,
    status: "active",
    agent: ME,
    offer: null,
    ...REQUEST,
    queue: null,
    ended: null,
    fallback: null,
    rating: null,
    ...change,
  }) as unknown as Conversation;
const snapshot = (offers: Conversation[], active: Conversation[], resumed?: false) =>
  event("snapshot", null, {
    availability: { available: true, source: "schedule" },
    open_offers: offers,
    active_conversations: active,
    ...(resumed === false && { resumed }),
  });
const idsOf = (desk: Desk) => desk.rings.map((ring) => ring.conversation.id);

describe("what rings", () => {
  test("is shown oldest first, whatever order it is told in", () => {
    const desk = after(
      offered("cnv_2", { at: "2026-11-24T12:00:05Z" }),
      offered("cnv_1", { at: "2026-11-24T12:00:01Z" }),
    );
    expect(idsOf(desk)).toEqual(["cnv_1", "cnv_2"]);
  });

  test("tells who, from where, and why", () => {
    const [ring] = after(offered("cnv_1")).rings;
    expect(ring?.conversation.visitor.first_name).toBe("Bo");
    expect(ring?.conversation.page?.url).toBe("https://shop.example/lamps");
    expect(ring?.why?.passed_over_count).toBe(2);
  });

  test.each([
    ["assignment.declined", {}, "declined"],
    ["assignment.timed_out", {}, "timed_out"],
    ["assignment.rescinded", { reason: "withdrawn" }, "visitor_left"],
    ["assignment.rescinded", { reason: "ended" }, "ended"],
    ["assignment.rescinded", { reason: "agent_absent" }, "absent"],
    ["assignment.rescinded", { reason: "agent_removed" }, "removed"],
    ["assignment.accepted", { agent: ME }, "accepted"],
  ])("is gone at once after %s %j, and why is known", (type, data, reason) => {
    const desk = after(offered("cnv_1"), offered("cnv_2"), event(type, "cnv_1", { attempt: 1, ...data }));
    expect(idsOf(desk)).toEqual(["cnv_2"]);
    expect(desk.departures.map((each) => [each.conversation.id, each.reason])).toEqual([["cnv_1", reason]]);
  });

  test("stays when an earlier attempt is told to be over", () => {
    const desk = after(
      offered("cnv_1", { attempt: 2 }),
      event("assignment.timed_out", "cnv_1", { attempt: 1 }),
    );
    expect(idsOf(desk)).toEqual(["cnv_1"]);
  });

  test("is acknowledged by the alert of the same attempt", () => {
    const desk = after(
      offered("cnv_1", { attempt: 2 }),
      event("alert.sent", "cnv_1", { alert_id: "alr_1", attempt: 1 }),
      event("alert.sent", "cnv_1", { alert_id: "alr_2", attempt: 2 }),
    );
    expect(desk.rings[0]?.alertId).toBe("alr_2");
  });

  test("a chat that a colleague hands over says who", () => {
    expect(after(offered("cnv_1", { from: GRACE })).rings[0]?.from).toEqual(GRACE);
  });
});

describe("chats", () => {
  test("are there once they are accepted, on whichever device", () => {
    const desk = after(offered("cnv_1"), accepted("cnv_1"));
    expect(desk.chats.map((chat) => chat.conversation.status)).toEqual(["active"]);
    expect(desk.rings).toEqual([]);
  });

  test("count what the visitor said until it is answered or read", () => {
    const begin = [
      offered("cnv_1"),
      accepted("cnv_1"),
      said("cnv_1", "visitor", "msg_1"),
      said("cnv_1", "visitor", "msg_2"),
    ];
    expect(after(...begin).chats[0]).toMatchObject({ unread: 2, waitingSince: "2026-11-24T12:01:00Z" });
    expect(after(...begin, said("cnv_1", "agent", "msg_3")).chats[0]).toMatchObject({
      unread: 0,
      waitingSince: null,
    });
    const read = event("messages.read", "cnv_1", {
      reader: { type: "agent", id: "ada" },
      message_id: "msg_2",
    });
    expect(after(...begin, read).chats[0]).toMatchObject({
      unread: 0,
      waitingSince: "2026-11-24T12:01:00Z",
    });
  });

  test("are the same after an event that was told already", () => {
    const first = said("cnv_1", "visitor", "msg_1");
    const once = after(offered("cnv_1"), accepted("cnv_1"), first);
    expect(deskAfter(once, first, NOW)).toEqual(once);
  });

  test("leave the desk when they end, or when somebody else has taken them over", () => {
    const begin = [offered("cnv_1"), accepted("cnv_1")];
    expect(after(...begin, event("conversation.ended", "cnv_1", { reason: "idle" })).chats).toEqual([]);
    const moved = after(
      ...begin,
      event("conversation.transferred", "cnv_1", { from_agent: ME, to_agent: GRACE }),
    );
    expect(moved.chats).toEqual([]);
    expect(moved.departures.at(-1)).toMatchObject({ reason: "handed_over", to: GRACE });
  });

  test("come back when nobody takes what was handed over", () => {
    const offer = { agent_id: "grace", attempt: 2, offered_at: "", expires_at: "" };
    const desk = after(
      snapshot([], [conversation("cnv_1", { offer })]),
      event("conversation.transfer_returned", "cnv_1", {}),
    );
    expect(desk.chats[0]?.conversation.offer).toBeNull();
  });

  test("with something unread come first, then who waits longest", () => {
    const desk = after(
      snapshot(
        [],
        [conversation("calm"), conversation("late"), conversation("early"), conversation("read")],
      ),
      said("late", "visitor", "msg_2", "2026-11-24T12:02:00Z"),
      said("early", "visitor", "msg_1", "2026-11-24T12:01:00Z"),
      said("read", "visitor", "msg_0", "2026-11-24T12:00:00Z"),
      event("messages.read", "read", { reader: { type: "agent" }, message_id: "msg_0" }),
    );
    expect(inOrder(desk.chats).map((chat) => chat.conversation.id)).toEqual([
      "early",
      "late",
      "read",
      "calm",
    ]);
  });

  test("know since when the visitor waits once their messages are loaded", () => {
    const message = (id: string, type: "visitor" | "agent") =>
      ({
        id,
        conversation_id: "cnv_1",
        author: { type, id: type },
        text: id,
        sent_at: `at ${id}`,
      }) as never;
    const messages = [
      message("1", "visitor"),
      message("2", "agent"),
      message("3", "visitor"),
      message("4", "visitor"),
    ];
    expect(waitingSinceOf(messages)).toBe("at 3");
    const desk = withMessages(after(snapshot([], [conversation("cnv_1")])), "cnv_1", messages);
    expect(desk.chats[0]).toMatchObject({ waitingSince: "at 3", last: { id: "4" } });
  });
});

describe("a snapshot", () => {
  test("replaces what was known, and tells what is gone", () => {
    const before = after(offered("cnv_1"), offered("cnv_2"));
    const offer = { agent_id: "ada", attempt: 1, offered_at: "2026-11-24T12:00:00Z", expires_at: "" };
    const desk = deskAfter(
      before,
      snapshot([conversation("cnv_2", { status: "offered", offer })], [], false),
      NOW,
    );
    expect(idsOf(desk)).toEqual(["cnv_2"]);
    expect(desk.rings[0]?.why).not.toBeNull();
    expect(desk.departures.map(({ reason }) => reason)).toEqual(["gone"]);
  });

  test("says that a chat was accepted elsewhere meanwhile", () => {
    const desk = deskAfter(after(offered("cnv_1")), snapshot([], [conversation("cnv_1")], false), NOW);
    expect(desk.departures.map(({ reason }) => reason)).toEqual(["accepted"]);
  });

  test("counts what is unread", () => {
    const desk = after(snapshot([], [conversation("cnv_1", { unread: 3 })]));
    expect(desk.chats[0]?.unread).toBe(3);
  });
});

test("a hundred offers and answers leave nothing behind but what may be told", () => {
  let desk = after(snapshot([], []));
  for (let at = 0; at < 100; at += 1) {
    desk = deskAfter(desk, offered(`cnv_${at}`), NOW);
    desk = deskAfter(desk, event("assignment.timed_out", `cnv_${at}`, { attempt: 1 }), NOW);
  }
  expect(desk.rings).toEqual([]);
  expect(desk.departures.length).toBe(20);
});
