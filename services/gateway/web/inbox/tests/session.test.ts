import { expect, test } from "vitest";
import { createAgentApi, Gate } from "../src/session/gate.ts";
import { may, mayAdminister, safeReturn } from "../src/session/session.ts";

function recording(status: number) {
  const requests: Request[] = [];
  const fetch = async (request: Request) => {
    requests.push(request);
    return new Response(status === 204 ? null : "{}", { status });
  };
  return { requests, fetch: fetch as typeof globalThis.fetch };
}

test("what changes something carries the session's token, and what only reads does not", async () => {
  const { requests, fetch } = recording(204);
  const gate = new Gate();
  gate.csrfToken = "secret";
  const api = createAgentApi(gate, fetch);
  await api.DELETE("/v1/session");
  await api.GET("/v1/session");
  expect(requests.map((request) => request.headers.get("x-csrf-token"))).toEqual(["secret", null]);
});

test("a refused call ends the session once, and only one that there was", async () => {
  const { fetch } = recording(401);
  const gate = new Gate();
  let ends = 0;
  gate.onExpired = () => {
    ends += 1;
  };
  const api = createAgentApi(gate, fetch);
  await api.GET("/v1/session");
  expect(ends).toBe(0);
  gate.csrfToken = "secret";
  await Promise.all([api.GET("/v1/roster"), api.GET("/v1/roster")]);
  expect(ends).toBe(1);
});

test.each([
  ["/inbox/console/teams?sort=name", "/console/teams?sort=name"],
  ["/?conversation=cnv_1", "/?conversation=cnv_1"],
  ["https://elsewhere.example/", "/"],
  ["//elsewhere.example/", "/"],
  ["/\\elsewhere.example/", "/"],
  ["/sign-in?return_to=/", "/"],
  [undefined, "/"],
])("after signing in for %s, %s is shown", (asked, shown) => {
  expect(safeReturn(asked)).toBe(shown);
});

test("permissions open what they are for", () => {
  const agent = { permissions: ["live_chat_view_my" as const] };
  expect(may(agent, "live_chat_view_my", "admin_teams")).toBe(true);
  expect(may(agent, "admin_teams")).toBe(false);
  expect(mayAdminister(agent)).toBe(false);
  expect(mayAdminister({ permissions: ["admin_accounts"] })).toBe(true);
});
