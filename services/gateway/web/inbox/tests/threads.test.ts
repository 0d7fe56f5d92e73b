import { type Conversation, type LiveEvent, type Message, NOTHING_KNOWN, RondoError } from "@rondo/client";
import { expect, test } from "vitest";
import { type Latest, type Page, THREADS_MAX, Threads, toldTo, withLatest } from "../src/desk/threads.ts";

const message = (number: number): Message => ({
  id: `msg_${String(number).padStart(3, "0")}`,
  conversation_id: "cnv_1",
  author: { type: "visitor", id: "v", name: null },
  text: `line ${number}`,
  sent_at: new Date(Date.UTC(2026, 10, 24, 12, 0, number)).toISOString(),
});
const messages = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => message(from + at));
const posted = (number: number): LiveEvent => ({
  id: `evt_${number}`,
  type: "message.posted",
  conversation_id: "cnv_1",
  occurred_at: message(number).sent_at,
  data: { ...message(number) },
});
const conversation = { id: "cnv_1", status: "active", agent: { id: "ada", name: "Ada" } } as Conversation;
const textsOf = (said: readonly Message[]) => said.map(({ text }) => Number(text.slice(5)));

/** A log of messages, of which the last ones are told first. */
class Log {
  said: Message[] = [];
  isAway = false;
  asked = 0;
  hold: Promise<void> = Promise.resolve();

  async latest(): Promise<Latest> {
    this.asked += 1;
    if (this.isAway) throw new RondoError("away", { code: "unavailable", status: 503 });
    const latest = this.said.slice(-5);
    const hasEarlier = this.said.length > 5;
    await this.hold;
    return { conversation, messages: latest, hasEarlier };
  }

  async earlier(_: string, cursor: string | null): Promise<Page> {
    if (this.isAway) throw new RondoError("away", { code: "unavailable", status: 503 });
    const end = cursor === null ? this.said.length : Number(cursor);
    const start = Math.max(0, end - 4);
    return { messages: this.said.slice(start, end), cursor: start > 0 ? String(start) : null };
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

test("what is told while a conversation is loaded comes after what is loaded, once", async () => {
  const log = new Log();
  log.said = messages(1, 5);
  let release = () => {};
  log.hold = new Promise((resolve) => {
    release = resolve;
  });
  const threads = new Threads(log, () => {});
  threads.open("cnv_1");
  threads.tell(posted(5), 0);
  threads.tell(posted(6), 0);
  release();
  await settled();
  expect(textsOf(threads.get("cnv_1")?.known.messages ?? [])).toEqual([1, 2, 3, 4, 5, 6]);
});

test("earlier messages are loaded page by page, without a gap or a repeat", async () => {
  const log = new Log();
  log.said = messages(1, 23);
  const threads = new Threads(log, () => {});
  threads.open("cnv_1");
  await settled();
  threads.tell(posted(24), 0);
  log.said.push(message(24));
  let pages = 0;
  while (threads.get("cnv_1")?.hasEarlier) {
    await threads.loadEarlier("cnv_1");
    pages += 1;
    expect(pages).toBeLessThan(10);
  }
  expect(textsOf(threads.get("cnv_1")?.known.messages ?? [])).toEqual(
    Array.from({ length: 24 }, (_, at) => at + 1),
  );
});

test("earlier messages that cannot be had are asked for again", async () => {
  const log = new Log();
  log.said = messages(1, 9);
  const threads = new Threads(log, () => {});
  threads.open("cnv_1");
  await settled();
  log.isAway = true;
  await threads.loadEarlier("cnv_1");
  expect(threads.get("cnv_1")).toMatchObject({ isLoadingEarlier: false, error: { status: 503 } });
  log.isAway = false;
  await threads.loadEarlier("cnv_1");
  await threads.loadEarlier("cnv_1");
  expect(textsOf(threads.get("cnv_1")?.known.messages ?? [])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("after a gap, what lies before it can be loaded again", async () => {
  const log = new Log();
  log.said = messages(1, 3);
  const threads = new Threads(log, () => {});
  threads.open("cnv_1");
  await settled();
  log.said = messages(1, 20);
  threads.reload();
  await settled();
  expect(textsOf(threads.get("cnv_1")?.known.messages ?? [])).toEqual([16, 17, 18, 19, 20]);
  while (threads.get("cnv_1")?.hasEarlier) await threads.loadEarlier("cnv_1");
  expect(textsOf(threads.get("cnv_1")?.known.messages ?? []).length).toBe(20);
});

test("a conversation that could not be loaded says why, and is loaded when it is opened again", async () => {
  const log = new Log();
  log.isAway = true;
  const threads = new Threads(log, () => {});
  threads.open("cnv_1");
  await settled();
  expect(threads.get("cnv_1")).toMatchObject({ state: "failed", error: { status: 503 } });
  log.isAway = false;
  threads.open("cnv_1");
  await settled();
  expect(threads.get("cnv_1")?.state).toBe("ready");
});

test("of a thousand conversations opened, the last few are kept", async () => {
  const threads = new Threads(new Log(), () => {});
  for (let at = 0; at < 1_000; at += 1) threads.open(`cnv_${at}`);
  await settled();
  const kept = Array.from({ length: 1_000 }, (_, at) => threads.get(`cnv_${at}`)).filter(Boolean);
  expect(kept.length).toBe(THREADS_MAX);
  expect(threads.get("cnv_999")).toBeDefined();
});

test("the latest messages go after those known, and keep what was told since", () => {
  const known = { ...NOTHING_KNOWN, conversation, messages: messages(1, 8) };
  const { known: merged, isSeamless } = withLatest(known, conversation, messages(4, 7));
  expect(textsOf(merged.messages)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(isSeamless).toBe(true);
});

test("a chat that is handed over stays active until somebody else has it", () => {
  const known = { ...NOTHING_KNOWN, conversation };
  const event = (type: string, data: object): LiveEvent => ({ ...posted(1), type, data: data as never });
  expect(toldTo(known, event("assignment.offered", { attempt: 2 }), 0).conversation?.status).toBe("active");
  const to_agent = { id: "grace", name: "Grace" };
  expect(toldTo(known, event("conversation.transferred", { to_agent }), 0).conversation?.agent).toEqual(
    to_agent,
  );
});
