import { beforeEach, describe, expect, test } from "vitest";
import { RondoError } from "../src/errors.ts";
import { memoryKeep } from "../src/keep.ts";
import { Outbox, type OutboxOptions, type OutgoingMessage } from "../src/outbox.ts";
import { ManualSurroundings, settle } from "./manual_surroundings.ts";

/** The API's side: one message for each id, however often it comes. */
class PostOffice {
  readonly messages = new Map<string, string>();
  readonly tries: string[] = [];
  readonly failures: (Error | "answer lost")[] = [];

  post = async (id: string, text: string) => {
    this.tries.push(id);
    const failure = this.failures.shift();
    if (failure instanceof Error) throw failure;
    this.messages.set(id, text);
    if (failure) throw new TypeError("network error");
    return { id: `msg_${id}` };
  };
}

let office: PostOffice;
let around: ManualSurroundings;
let shown: readonly OutgoingMessage[];
let keep: ReturnType<typeof memoryKeep>;

function outbox(options: Partial<OutboxOptions> = {}): Outbox {
  let last = 0;
  return new Outbox({
    post: office.post,
    onChange: (messages) => {
      shown = messages;
    },
    newId: () => {
      last += 1;
      return `m${last}`;
    },
    keep,
    surroundings: around,
    ...options,
  });
}

function opened(options: Partial<OutboxOptions> = {}): Outbox {
  const box = outbox(options);
  box.setOpen(true);
  return box;
}

const states = () => shown.map(({ state }) => state);
const refusal = (status: number, retryAfterMs: number | null = null) =>
  new RondoError("no", { code: "no", status, retryAfterMs });

beforeEach(() => {
  office = new PostOffice();
  around = new ManualSurroundings();
  shown = [];
  keep = memoryKeep();
});

test("messages arrive in the order they were written, one at a time", async () => {
  const box = opened();
  for (const text of ["one", "two", "three"]) box.put(text);
  expect(states()).toEqual(["sending", "waiting", "waiting"]);
  await settle();
  expect([...office.messages.values()]).toEqual(["one", "two", "three"]);
  expect(states()).toEqual(["sent", "sent", "sent"]);
});

test("a message is shown until the stream has told it", async () => {
  const box = opened();
  box.put("hello");
  await settle();
  box.arrived({ id: "msg_m1" });
  expect(shown).toEqual([]);
});

test("a message that the stream tells before its answer is shown once", async () => {
  const box = opened();
  box.put("hello");
  box.arrived({ id: "msg_m1", client_message_id: "m1" });
  await settle();
  expect(shown).toEqual([]);
});

test("a message that is known already is not on its way when it is sent again", async () => {
  const box = opened({ isKnown: (id) => id === "msg_m1" });
  box.put("hello");
  await settle();
  expect(shown).toEqual([]);
});

test("what cannot be sent now keeps its place and is sent again, as the same message", async () => {
  office.failures.push("answer lost", new TypeError("unreachable"), refusal(503, 5_000));
  const box = opened();
  box.put("one");
  box.put("two");
  await settle();
  expect(states()).toEqual(["retrying", "waiting"]);
  await around.pass(60_000);
  expect(office.tries).toEqual(["m1", "m1", "m1", "m1", "m2"]);
  expect([...office.messages.entries()]).toEqual([
    ["m1", "one"],
    ["m2", "two"],
  ]);
});

test("a 429 is waited out", async () => {
  office.failures.push(refusal(429, 20_000));
  opened().put("one");
  await around.pass(19_999);
  expect(office.tries).toHaveLength(1);
  await around.pass(1);
  expect(office.tries).toHaveLength(2);
});

test("what can never be sent fails, and does not hold up the next", async () => {
  office.failures.push(refusal(422));
  const box = opened();
  box.put("one");
  box.put("two");
  await settle();
  expect(states()).toEqual(["failed", "sent"]);
  box.retry("m1");
  await settle();
  expect(states()).toEqual(["sent", "sent"]);
});

test("what failed can be dropped", async () => {
  office.failures.push(refusal(422));
  const box = opened();
  box.put("one");
  await settle();
  box.drop("m1");
  expect(shown).toEqual([]);
  expect(keep.get("outbox")).toBeNull();
});

test("a network that is back is used at once", async () => {
  office.failures.push(new TypeError("unreachable"));
  opened().put("one");
  await settle();
  await around.notice("online");
  expect(states()).toEqual(["sent"]);
});

test("nothing is sent before the conversation is open", async () => {
  const box = outbox();
  box.put("one");
  await around.pass(60_000);
  expect(office.tries).toEqual([]);
  box.setOpen(true);
  await settle();
  expect(states()).toEqual(["sent"]);
});

describe("after a reload", () => {
  test("what was not sent is sent, under the same id", async () => {
    office.failures.push("answer lost");
    const before = opened();
    before.put("one");
    before.put("two");
    await settle();
    before.close();
    opened();
    await settle();
    expect([...office.messages.entries()]).toEqual([
      ["m1", "one"],
      ["m2", "two"],
    ]);
  });

  test("what was sent and not told yet is not sent again", async () => {
    const before = opened();
    before.put("one");
    await settle();
    before.close();
    const after = opened();
    await settle();
    expect(office.tries).toEqual(["m1"]);
    expect(after.messages).toMatchObject([{ state: "sent", message_id: "msg_m1" }]);
  });

  test("a keep with something else in it is an empty one", () => {
    keep.set("outbox", "{not json");
    expect(outbox().messages).toEqual([]);
  });
});
