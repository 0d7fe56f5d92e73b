import { type Keep, memoryKeep, type SavedReply } from "@rondo/client";
import { describe, expect, test } from "vitest";
import { isFree } from "../src/app/shortcuts.ts";
import { colleaguesFor } from "../src/inbox/colleagues.ts";
import { Drafts } from "../src/inbox/drafts.ts";
import { inboxSearch } from "../src/inbox/routes.tsx";
import { askedFor, filledIn, repliesFor } from "../src/inbox/saved_replies.ts";
import { iconFor, titleFor } from "../src/offers/attention.ts";
import { REASON_MS, slotsAfter, slotsStill } from "../src/offers/slots.ts";
import { deedFor, noticeOf, placeOf } from "../src/push/notice.ts";
import { bytesOf } from "../src/push/subscription.ts";
import { chosenIn, DEFAULTS, Preferences } from "../src/settings/preferences.ts";

const reply = (shortcut: string, title: string): SavedReply => ({
  id: shortcut,
  shortcut,
  title,
  text: title,
});

describe("saved replies", () => {
  const replies = [
    reply("bye", "Say goodbye"),
    reply("hello", "Greeting"),
    reply("hours", "Opening hours"),
  ];

  test.each([
    ["/", ""],
    ["/he", "he"],
    ["/he llo", null],
    ["see a/b", null],
    ["//", null],
    ["", null],
  ])("%j asks for %j", (text, asked) => {
    expect(askedFor(text)).toBe(asked);
  });

  test("are found by their shortcut, then by their title", () => {
    expect(repliesFor(replies, "h").map(({ shortcut }) => shortcut)).toEqual(["hello", "hours"]);
    expect(repliesFor(replies, "GOOD").map(({ shortcut }) => shortcut)).toEqual(["bye"]);
    expect(repliesFor(replies, "nothing")).toEqual([]);
  });

  test("take the visitor's name in", () => {
    expect(filledIn("Hello {{first_name}} of {{ company }}!", { first_name: "Bo", company: null })).toBe(
      "Hello Bo of !",
    );
    expect(filledIn("{{first_name}}", { first_name: "{{company}}", company: "x" })).toBe("{{company}}");
  });
});

test("drafts are kept per agent and conversation", () => {
  const keep: Keep = memoryKeep();
  new Drafts(keep, "ada").set("cnv_1", "half a sen");
  expect(new Drafts(keep, "ada").of("cnv_1")).toBe("half a sen");
  expect(new Drafts(keep, "ada").of("cnv_2")).toBe("");
  expect(new Drafts(keep, "grace").of("cnv_1")).toBe("");
});

describe("the banner's places", () => {
  const ring = (id: string) => ({ conversation: { id } }) as never;
  const gone = (id: string, reason: "timed_out") =>
    [{ id, conversation: { id }, reason, to: null }] as never;

  test("a place that empties keeps its height, and says why", () => {
    const two = slotsAfter([], [ring("a"), ring("b")], [], 0);
    const one = slotsAfter(two, [ring("b")], gone("a", "timed_out"), 10);
    expect(one.map((slot) => [slot.id, slot.gone?.reason ?? null])).toEqual([
      ["a", "timed_out"],
      ["b", null],
    ]);
    expect(slotsStill(one, 20).length).toBe(2);
    expect(slotsStill(one, 10 + REASON_MS).map(({ id }) => id)).toEqual(["b"]);
  });

  test("what rings later is below what rings already", () => {
    const slots = slotsAfter(slotsAfter([], [ring("b")], [], 0), [ring("a"), ring("b")], [], 1);
    expect(slots.map(({ id }) => id)).toEqual(["b", "a"]);
  });

  test("a chat that rings again takes its place again", () => {
    const first = ring("a");
    const left = slotsAfter(slotsAfter([], [first], [], 0), [], [], 1);
    expect(slotsAfter(left, [ring("a")], [], 2)[0]?.gone).toBeNull();
  });
});

test("title and icon say what wants attention", () => {
  const ringing = (count: number) => `${count} ring`;
  expect(titleFor("Rondo", { rings: 2, unread: 5 }, ringing)).toBe("2 ring · Rondo");
  expect(titleFor("Rondo", { rings: 0, unread: 5 }, ringing)).toBe("(5) Rondo");
  expect(titleFor("Rondo", { rings: 0, unread: 0 }, ringing)).toBe("Rondo");
  expect(decodeURIComponent(iconFor({ rings: 12, unread: 0 }))).toContain("9+");
  expect(iconFor({ rings: 0, unread: 0 })).not.toContain("text");
});

describe("a push", () => {
  const notice = {
    type: "alert.sent",
    alert_id: "alr_1",
    conversation_id: "cnv_1",
    title: "Bo rings",
    body: "Example",
    url: "https://elsewhere.example/",
    tag: "cnv_1",
    expires_at: "2026-11-24T12:01:40Z",
  };
  const now = Date.parse("2026-11-24T12:00:00Z");

  test("shows that a chat rings, under its tag", () => {
    const deed = deedFor(noticeOf(JSON.stringify(notice)), now);
    expect(deed).toMatchObject({
      do: "show",
      title: "Bo rings",
      options: { tag: "cnv_1", body: "Example" },
    });
  });

  test("closes the notification when the offer is withdrawn", () => {
    expect(deedFor({ ...notice, type: "alert.withdrawn" }, now)).toEqual({ do: "close", tag: "cnv_1" });
  });

  test("that comes too late rings nobody", () => {
    expect(deedFor(notice, now + 200_000)).toEqual({ do: "close", tag: "cnv_1" });
  });

  test.each([undefined, "", "{", "[]", '{"type": 1}'])("%j is nothing of ours", (text) => {
    expect(deedFor(noticeOf(text), now)).toEqual({ do: "nothing" });
  });

  test("leads into the inbox only, to the chat", () => {
    expect(placeOf({ conversation_id: "cnv_1&x" })).toBe("/inbox/?conversation=cnv_1%26x");
    expect(placeOf(null)).toBe("/inbox/");
  });

  test("keys are read as base64url", () => {
    expect([...bytesOf("-_8")]).toEqual([251, 255]);
  });
});

test("preferences that were kept wrongly are as by default", () => {
  expect(chosenIn('{"volume": 7, "sound": "horn", "language": "tlh", "isSoundOn": false}')).toEqual({
    ...DEFAULTS,
    isSoundOn: false,
  });
  expect(chosenIn("nonsense")).toEqual(DEFAULTS);
});

test("preferences outlast a reload", () => {
  const keep = memoryKeep();
  new Preferences(keep).choose({ volume: 0.2 });
  expect(new Preferences(keep).chosen.volume).toBe(0.2);
});

test("an address says which list, and nothing that it does not know", () => {
  expect(inboxSearch({ list: "queue", conversation: "cnv_1", q: 12, status: "nonsense", x: 1 })).toEqual({
    list: "queue",
    conversation: "cnv_1",
    q: "12",
  });
  expect(inboxSearch({ list: "active" })).toEqual({});
});

test("keys do nothing while somebody writes", () => {
  const press = (html: string, init: KeyboardEventInit = {}) => {
    document.body.innerHTML = html;
    const event = new KeyboardEvent("keydown", { key: "j", bubbles: true, ...init });
    let free = false;
    document.addEventListener(
      "keydown",
      (heard) => {
        free = isFree(heard);
      },
      { once: true },
    );
    document.body.firstElementChild?.dispatchEvent(event);
    return free;
  };
  expect(press("<p></p>")).toBe(true);
  expect(press("<textarea></textarea>")).toBe(false);
  expect(press("<p></p>", { ctrlKey: true })).toBe(false);
  expect(press('<div role="dialog"></div>')).toBe(false);
});

test("colleagues who can take a chat come first, the least busy of them on top", () => {
  const colleague = (id: string, change: object) => ({
    id,
    name: id,
    avatar_url: null,
    available: true,
    present: true,
    load: 0,
    capacity: 10,
    teams: [],
    ...change,
  });
  const roster = [
    colleague("away", { available: false }),
    colleague("busy", { load: 5 }),
    colleague("full", { load: 10 }),
    colleague("free", {}),
    colleague("me", {}),
  ];
  expect(colleaguesFor(roster, "me", "").map(({ id }) => id)).toEqual(["free", "busy", "full", "away"]);
  expect(colleaguesFor(roster, "me", "FR").map(({ id }) => id)).toEqual(["free"]);
});
