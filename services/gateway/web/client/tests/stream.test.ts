import { beforeEach, describe, expect, test } from "vitest";
import { RETRY_MS, RETRY_MS_MAX } from "../src/backoff.ts";
import {
  type LiveEvent,
  LiveStream,
  SILENCE_MS_MAX,
  type StreamOptions,
  type StreamState,
} from "../src/stream.ts";
import { ManualSurroundings, settle } from "./manual_surroundings.ts";
import { frame, problem, StreamServer } from "./stream_server.ts";

let server: StreamServer;
let around: ManualSurroundings;
let events: LiveEvent[];
let states: StreamState[];

function stream(options: Partial<StreamOptions> = {}): LiveStream {
  return new LiveStream({
    connect: server.connect,
    onEvent: (event) => events.push(event),
    onState: (state) => states.push(state),
    surroundings: around,
    ...options,
  });
}

async function opened(options: Partial<StreamOptions> = {}): Promise<LiveStream> {
  const live = stream(options);
  live.open();
  await settle();
  return live;
}

beforeEach(() => {
  server = new StreamServer();
  around = new ManualSurroundings();
  events = [];
  states = [];
});

describe("events", () => {
  test("arrive in order, whatever pieces the bytes come in", async () => {
    await opened();
    const text = `${frame("1-0", "snapshot")}: still here\n${frame("2-0", "message.posted", { text: "å😀\\n" })}`;
    for (const byte of new TextEncoder().encode(text)) server.last.send(String.fromCharCode(byte));
    await settle();
    expect(events.map(({ type }) => type)).toEqual(["snapshot", "message.posted"]);
  });

  test("that are no JSON are passed over", async () => {
    await opened();
    server.last.send(`data: <html>\n\n${frame("1-0", "snapshot")}`);
    await settle();
    expect(events).toHaveLength(1);
  });

  test("of a closed stream are not told any more", async () => {
    const live = await opened();
    const connection = server.last;
    connection.send(frame("1-0", "snapshot"));
    live.close();
    await settle();
    expect(events).toEqual([]);
    expect(connection.signal.aborted).toBe(true);
    expect(live.state).toEqual({ is: "closed", error: null });
    expect(around.timers).toBe(0);
  });
});

describe("a stream that breaks", () => {
  test("goes on after its cursor", async () => {
    await opened();
    server.last.send(frame("1-0", "snapshot") + frame("7-2", "typing"));
    await settle();
    server.last.break();
    await around.pass(RETRY_MS);
    expect(server.connections.map(({ cursor }) => cursor)).toEqual([null, "7-2"]);
  });

  test("comes back when the server has said so", async () => {
    await opened();
    server.last.send(`retry: 4200\n${frame("1-0", "snapshot")}`);
    await settle();
    server.last.end();
    await around.pass(4_199);
    expect(server.connections).toHaveLength(1);
    await around.pass(1);
    expect(server.connections).toHaveLength(2);
  });

  test("waits longer each time, up to a limit, until it hears something", async () => {
    server.refusals.push(...Array.from({ length: 9 }, () => new TypeError("unreachable")));
    await opened();
    const waits: number[] = [];
    for (let tries = 1; tries <= 9; tries += 1) {
      const state = states.at(-1);
      if (state?.is !== "waiting") throw new Error("should wait");
      waits.push(state.untilMs - around.now());
      await around.pass(state.untilMs - around.now());
    }
    expect(waits).toEqual([1, 1, 2, 4, 8, 16, 30, 30, 30].map((seconds) => seconds * 1000));
    expect(Math.max(...waits)).toBe(RETRY_MS_MAX);
    server.last.send(frame("1-0", "snapshot"));
    await settle();
    server.last.break();
    await around.pass(RETRY_MS);
    expect(server.connections).toHaveLength(11);
  });

  test("spreads its later tries by chance", async () => {
    around.chance = 0.5;
    server.refusals.push(new TypeError("unreachable"), new TypeError("unreachable"));
    await opened();
    await around.pass(RETRY_MS);
    expect(states.at(-1)).toEqual({ is: "waiting", untilMs: around.now() + RETRY_MS * 1.25 });
  });

  test("waits as long as a 503 asks for", async () => {
    server.refusals.push(problem(503, "unavailable", { "retry-after": "9" }));
    await opened();
    await around.pass(8_999);
    expect(server.connections).toHaveLength(1);
    await around.pass(1);
    expect(server.connections).toHaveLength(2);
  });

  test("comes back at once when the page is looked at again", async () => {
    server.refusals.push(new TypeError("unreachable"));
    await opened();
    await around.notice("visible");
    expect(server.connections).toHaveLength(2);
  });
});

describe("silence", () => {
  test("ends a connection, and a heartbeat does not let it be silence", async () => {
    await opened();
    server.last.send(frame("1-0", "snapshot"));
    await around.pass(SILENCE_MS_MAX - 1);
    server.last.send(": still here\n");
    await around.pass(SILENCE_MS_MAX - 1);
    expect(server.connections).toHaveLength(1);
    await around.pass(1 + RETRY_MS);
    expect(server.connections).toHaveLength(2);
    expect(server.connections[0]?.signal.aborted).toBe(true);
  });

  test("ends a connection that never answers", async () => {
    await opened({
      connect: (cursor, signal) => {
        void server.connect(cursor, signal);
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    });
    await around.pass(SILENCE_MS_MAX + RETRY_MS);
    expect(server.connections).toHaveLength(2);
  });

  test("of a sleeping computer is noticed as soon as it wakes", async () => {
    await opened();
    server.last.send(frame("3-0", "snapshot"));
    await settle();
    around.sleep(3_600_000);
    await around.notice("visible");
    await around.pass(RETRY_MS);
    expect(server.connections.map(({ cursor }) => cursor)).toEqual([null, "3-0"]);
  });
});

describe("without a network", () => {
  test("nothing is tried until there is one", async () => {
    around.online = false;
    await opened();
    await around.pass(600_000);
    expect(states).toEqual([{ is: "offline" }]);
    expect(server.connections).toHaveLength(0);
    await around.notice("online");
    expect(server.connections).toHaveLength(1);
  });

  test("a connection is given up at once and taken up again after its cursor", async () => {
    await opened();
    server.last.send(frame("5-0", "snapshot"));
    await settle();
    await around.notice("offline");
    await around.pass(60_000);
    expect(states.at(-1)).toEqual({ is: "offline" });
    await around.notice("online");
    expect(server.connections.map(({ cursor }) => cursor)).toEqual([null, "5-0"]);
  });
});

describe("a refusal", () => {
  test("by 401 is answered with a new credential, at once", async () => {
    let renewals = 0;
    server.refusals.push(problem(401, "not-authenticated"));
    await opened({
      renew: async () => {
        renewals += 1;
      },
    });
    expect(renewals).toBe(1);
    expect(server.connections).toHaveLength(2);
  });

  test("by 401 of the new credential too closes the stream", async () => {
    server.refusals.push(problem(401, "not-authenticated"), problem(401, "not-authenticated"));
    const live = await opened({ renew: async () => {} });
    expect(live.state).toMatchObject({ is: "closed", error: { status: 401 } });
  });

  test("by 401 while a new credential cannot be asked for is tried again", async () => {
    let renewals = 0;
    server.refusals.push(problem(401, "not-authenticated"), problem(401, "not-authenticated"));
    const live = await opened({
      renew: async () => {
        renewals += 1;
        if (renewals === 1) throw new TypeError("unreachable");
      },
    });
    expect(live.state.is).toBe("waiting");
    await around.pass(RETRY_MS);
    expect(renewals).toBe(2);
    expect(live.state.is).toBe("open");
  });

  test.each([403, 404])("by %i closes the stream and says why", async (status) => {
    server.refusals.push(problem(status, "gone-for-good"));
    const live = await opened();
    expect(live.state).toMatchObject({ is: "closed", error: { status, code: "gone-for-good" } });
    expect(around.timers).toBe(0);
  });

  test("of its cursor lets it begin with a snapshot", async () => {
    server.refusals.push(problem(400, "malformed-request"));
    await opened({ cursor: "no-cursor" });
    expect(server.connections.map(({ cursor }) => cursor)).toEqual(["no-cursor", null]);
  });
});
