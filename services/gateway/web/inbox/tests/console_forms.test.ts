import { describe, expect, test } from "vitest";
import english from "../locales/en/console.json";
import { changedFields, legible } from "../src/console/differences.ts";
import { freeId, ID, idOf } from "../src/console/names.ts";
import { BLANK, lacking, valuesOf as pairsOf, requestBody } from "../src/console/route_request.ts";
import { inOrder } from "../src/console/rule_order.ts";
import { SECTION_NAMES, sectionsFor } from "../src/console/sections.ts";
import {
  GROUPS,
  groupsFor,
  patchOf,
  pathAt,
  type Settings,
  siteTag,
  valuesOf,
} from "../src/console/settings_fields.ts";
import type { Permission } from "../src/session/session.ts";

describe("settings", () => {
  const settings = {
    live_chat_enabled: true,
    queue: { enabled: false, max_wait_s: 300, size_max: 100 },
    widget: { title: "Chat", route: { type: "agent", agent_id: "ada" }, fields: ["email"] },
    engagements_per_month_max: null,
  } as unknown as Settings;
  const values = valuesOf(settings);

  test("become one value a path, without those that the server does not know", () => {
    expect(values["queue.max_wait_s"]).toBe(300);
    expect(values).not.toHaveProperty("widget.meeting_url");
  });

  test("are patched by what changed and nothing else", () => {
    expect(patchOf(values, values)).toEqual({});
    const changed = { ...values, "queue.enabled": true, "queue.size_max": 5, live_chat_enabled: false };
    expect(patchOf(values, changed)).toEqual({
      live_chat_enabled: false,
      queue: { enabled: true, size_max: 5 },
    });
  });

  test("lose what another route does not have", () => {
    const changed = { ...values, "widget.route": { type: "team", team_id: "sales" } };
    expect(patchOf(values, changed)).toEqual({
      widget: { route: { type: "team", team_id: "sales", agent_id: null } },
    });
  });

  test("have lists replaced as a whole, and an empty text is none", () => {
    expect(patchOf(values, { ...values, "widget.fields": [] })).toEqual({ widget: { fields: [] } });
    expect(patchOf(values, { ...values, "widget.title": "" })).toEqual({ widget: { title: null } });
  });

  test("are found by the pointers of a refusal", () => {
    expect(pathAt("/queue/max_wait_s", values)).toBe("queue.max_wait_s");
    expect(pathAt("/widget/fields/0", values)).toBe("widget.fields");
    expect(pathAt("/surprise", values)).toBeNull();
  });

  test("are shown to those who may change them", () => {
    expect(groupsFor(["admin_round_robin"]).map(({ name }) => name)).toEqual(["routing", "waiting"]);
    const [website] = groupsFor(["admin_integrations"]);
    expect(website?.fields.map(({ path }) => path)).not.toContain("allowed_origins");
    expect(groupsFor(["live_chat_view_my"])).toEqual([]);
  });

  test("each have words on what they do", () => {
    const fields = english.settings.fields as Record<string, unknown>;
    for (const { path } of GROUPS.flatMap((group) => group.fields)) {
      const texts = path
        .split(".")
        .reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], fields);
      expect(texts, path).toMatchObject({ label: expect.any(String), help: expect.any(String) });
    }
  });

  test("give the tag for a website", () => {
    expect(siteTag("https://rondo.example", "site_abc")).toBe(
      '<script src="https://rondo.example/widget/rondo.js" data-site-key="site_abc" async></script>',
    );
  });
});

describe("a route that is tried", () => {
  test("says only what was filled in", () => {
    const request = {
      ...BLANK,
      visitor: { country: " SE ", email: "" },
      answers: [{ key: 1, name: "topic", value: "prices" }],
      url: " https://example.com/ ",
    };
    expect(requestBody(request)).toEqual({
      visitor: { country: "SE", attributes: {} },
      route: { type: "custom_rules" },
      page: { url: "https://example.com/" },
      answers: { topic: "prices" },
      priority: 0,
    });
    expect(requestBody(BLANK)).not.toHaveProperty("page");
  });

  test("sends numbers and truth values as a website would", () => {
    const pair = (name: string, value: string) => ({ key: 0, name, value });
    expect(
      pairsOf([
        pair("a", "7"),
        pair("b", "-1.5"),
        pair("c", "007"),
        pair("d", "true"),
        pair("", "x"),
        pair("e", ""),
      ]),
    ).toEqual({ a: 7, b: -1.5, c: "007", d: true, e: "" });
  });

  test("needs the agent or the team that it asks for", () => {
    expect(lacking({ ...BLANK, route: { type: "agent", agent_id: "" } })).toBe("agent");
    expect(lacking({ ...BLANK, route: { type: "team", team_id: "" } })).toBe("team");
    expect(lacking(BLANK)).toBeNull();
  });
});

test("rules stand by priority, and by id where that is the same", () => {
  const rules = ["b", "a", "B"].map((id) => ({ id, priority: 1 }));
  expect(inOrder([{ id: "z", priority: 2 }, ...rules]).map(({ id }) => id)).toEqual(["B", "a", "b", "z"]);
});

test("an id is made of a name, and is not one that is taken", () => {
  expect(idOf("Årsta North & Söder!")).toBe("arsta-north-soder");
  expect(freeId("Sales", new Set(["sales", "sales-2"]))).toBe("sales-3");
  expect(freeId("营业", new Set())).toBe("");
  expect(ID.test(idOf("x".repeat(200)))).toBe(true);
});

test("fields that differ are named, and keys that only tell parts apart are none", () => {
  const one = { name: "A", list: [{ key: 1, value: "x" }] };
  expect(changedFields(one, { name: "A", list: [{ key: 9, value: "x" }] })).toEqual([]);
  expect(changedFields(one, { name: "B", list: [] })).toEqual(["name", "list"]);
  expect(legible(["a", "b"])).toBe("a, b");
  expect(legible(null)).toBe("");
});

test("each screen is for those who have the permission for it", () => {
  const names = (...permissions: Permission[]) => sectionsFor({ permissions }).map(({ name }) => name);
  expect(names("live_chat_view_my", "own_availability")).toEqual([]);
  expect(names("admin_teams")).toEqual(["teams"]);
  expect(names("admin_round_robin")).toEqual(["try", "settings"]);
  expect(
    new Set(
      names(
        "admin_agents",
        "admin_teams",
        "admin_custom_rules",
        "admin_accounts",
        "admin_security",
        "admin_integrations",
      ),
    ),
  ).toEqual(new Set(SECTION_NAMES));
});
