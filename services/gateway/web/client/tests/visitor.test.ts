import { beforeEach, describe, expect, test } from "vitest";
import { answered, connectToConversation, createApi } from "../src/api.ts";
import { createCalls } from "../src/calls.ts";
import { RondoError } from "../src/errors.ts";
import { memoryKeep } from "../src/keep.ts";
import { RENEW_BEFORE_MS, Visitor } from "../src/visitor.ts";
import { ManualSurroundings } from "./manual_surroundings.ts";
import { problem } from "./stream_server.ts";

const BASE = "https://rondo.test";
const MINUTES_MS = 60_000;

let around: ManualSurroundings;
let keep: ReturnType<typeof memoryKeep>;
let calls: { path: string; token: string | null; body: unknown }[];
let queries: string[];
let refusals: (Response | Error)[];
/** Tokens that the server no longer takes. */
let ended: Set<string>;

let isScriptThere: boolean;

const fakeFetch = (async (input: Request | string) => {
  if (typeof input === "string") {
    if (isScriptThere) return new Response();
    throw new TypeError("unreachable");
  }
  const body = await input.text();
  const token = input.headers.get("authorization")?.replace("Bearer ", "") ?? null;
  queries.push(new URL(input.url).search);
  calls.push({ path: new URL(input.url).pathname, token, body: body ? JSON.parse(body) : null });
  const refusal = refusals.shift();
  if (refusal instanceof Error) throw refusal;
  if (refusal) return refusal;
  if (token !== null && ended.has(token)) return problem(401, "not-authenticated");
  if (!input.url.includes("visitor_sessions")) return new Response(null, { status: 204 });
  const session = {
    visitor_id: "vis_1",
    visitor_token: `token-${calls.length}`,
    expires_at: new Date(around.now() + 15 * MINUTES_MS).toISOString(),
  };
  return Response.json(session, { status: input.url.endsWith("refresh") ? 200 : 201 });
}) as typeof fetch;

function visitor(): Visitor {
  return new Visitor({ baseUrl: BASE, siteKey: "site_a", keep, fetch: fakeFetch, surroundings: around });
}

const paths = () => calls.map(({ path }) => path.replace("/v1/", ""));

beforeEach(() => {
  around = new ManualSurroundings();
  keep = memoryKeep();
  calls = [];
  queries = [];
  refusals = [];
  ended = new Set();
  isScriptThere = false;
});

test("a session is asked for once, however many need it", async () => {
  const one = visitor();
  const tokens = await Promise.all([one.token(), one.token(), one.token()]);
  expect(new Set(tokens).size).toBe(1);
  expect(calls).toEqual([{ path: "/v1/visitor_sessions", token: null, body: { site_key: "site_a" } }]);
});

test("another page of the website goes on with the session", async () => {
  const token = await visitor().token();
  expect(await visitor().token()).toBe(token);
  expect(calls).toHaveLength(1);
});

test("a token is renewed before it ends, with the old one", async () => {
  const one = visitor();
  const old = await one.token();
  around.sleep(15 * MINUTES_MS - RENEW_BEFORE_MS);
  expect(await one.token()).not.toBe(old);
  expect(calls.at(-1)).toMatchObject({ path: "/v1/visitor_sessions/refresh", token: old });
});

test("a token too old to be renewed leads to a new session of the same visitor", async () => {
  const one = visitor();
  await one.token();
  around.sleep(40 * 24 * 60 * MINUTES_MS);
  refusals.push(problem(401, "not-authenticated"));
  await one.token();
  expect(paths()).toEqual(["visitor_sessions", "visitor_sessions/refresh", "visitor_sessions"]);
  expect(calls.at(-1)?.body).toEqual({ site_key: "site_a", visitor_id: "vis_1" });
});

test("who the visitor is is said with the id they had", async () => {
  const one = visitor();
  await one.token();
  await one.identify("signed");
  const body = { site_key: "site_a", visitor_id: "vis_1", identity: "signed" };
  expect(calls.at(-1)).toMatchObject({ body, token: "token-1" });
});

test("a website that may not call is told so, though browsers hide the refusal", async () => {
  refusals.push(new TypeError("Failed to fetch"));
  isScriptThere = true;
  await expect(visitor().token()).rejects.toMatchObject({ status: 403, code: "origin-not-allowed" });
});

test("a website without a network is not told that it may not call", async () => {
  refusals.push(new TypeError("Failed to fetch"));
  await expect(visitor().token()).rejects.toMatchObject({ status: 0, code: "network" });
});

describe.each([
  ["all calls", createApi],
  ["the widget's calls", createCalls],
])("with %s", (_, create) => {
  test("a call whose token was refused is repeated with a new one, body and all", async () => {
    const one = visitor();
    ended.add(await one.token());
    const api = create({ baseUrl: BASE, credential: one, fetch: fakeFetch });
    refusals.push(problem(401, "not-authenticated"));
    ended.clear();
    const params = { path: { conversation_id: "cnv_1" } };
    await answered(
      api.POST("/v1/conversations/{conversation_id}/read", { params, body: { message_id: "msg_1" } }),
    );
    expect(calls.at(-1)).toMatchObject({ token: "token-3", body: { message_id: "msg_1" } });
  });

  test("a call without an answer is a network error", async () => {
    refusals.push(new TypeError("unreachable"));
    const api = create({ baseUrl: BASE, fetch: fakeFetch });
    const call = answered(api.GET("/v1/workspace"));
    await expect(call).rejects.toBeInstanceOf(RondoError);
    await expect(call).rejects.toMatchObject({ status: 0, code: "network", isTransient: true });
  });

  test("what a 422 says of each field can be shown there", async () => {
    const errors = [{ pointer: "/visitor/email", detail: "no address" }];
    refusals.push(Response.json({ type: "urn:rondo:error:invalid", errors }, { status: 422 }));
    const api = create({ baseUrl: BASE, fetch: fakeFetch });
    await expect(answered(api.GET("/v1/workspace"))).rejects.toMatchObject({
      code: "invalid",
      fields: errors,
    });
  });

  test("parameters stand where the path has them, safely", async () => {
    const api = create({ baseUrl: BASE, fetch: fakeFetch });
    const params = { path: { conversation_id: "a/b" }, query: { limit: 7 } };
    await answered(api.GET("/v1/conversations/{conversation_id}/messages", { params })).catch(() => {});
    expect(calls.at(-1)?.path).toBe("/v1/conversations/a%2Fb/messages");
    expect(queries.at(-1)).toBe("?limit=7");
  });
});

test("a stream is asked for with the token and the cursor in its address", async () => {
  const addresses: string[] = [];
  const fetch = (async (address: string) => {
    addresses.push(address);
    return new Response();
  }) as typeof globalThis.fetch;
  const credential = { token: async () => "t&1" };
  const { signal } = new AbortController();
  await connectToConversation({ baseUrl: BASE, credential, fetch }, "cnv_1", "7-2", signal);
  expect(addresses).toEqual([`${BASE}/v1/conversations/cnv_1/stream?access_token=t%261&last_event_id=7-2`]);
});
