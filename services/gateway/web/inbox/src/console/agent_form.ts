// An agent as a form, and back.

import type { Body, Shown } from "./kinds.ts";
import { blocksOf, emptyWeek, type ScheduleBlock, type Week, weekOf, wrong } from "./schedule.ts";

/** When an agent is there: always, never but for the toggle, or by the week's blocks. */
export type ScheduleMode = "always" | "never" | "week";

export type AgentForm = {
  name: string;
  email: string;
  avatar_url: string;
  time_zone: string | null;
  /** Empty: the workspace's. */
  capacity: number | "";
  profile: string;
  live_chat: boolean;
  mode: ScheduleMode;
  schedule: Week;
  sound: boolean;
  web_push: boolean;
  email_alerts: boolean;
};

export const CAPACITY_MAX = 10_000;

export function newAgent(timeZone: string): AgentForm {
  return {
    name: "",
    email: "",
    avatar_url: "",
    time_zone: timeZone,
    capacity: "",
    profile: "live_agent",
    live_chat: true,
    mode: "always",
    schedule: emptyWeek(),
    sound: true,
    web_push: true,
    email_alerts: true,
  };
}

export function agentForm(agent: Shown<"agents">, nextKey: () => number): AgentForm {
  const schedule = (agent.schedule ?? null) as ScheduleBlock[] | null;
  return {
    name: agent.name,
    email: agent.email,
    avatar_url: agent.avatar_url ?? "",
    time_zone: agent.time_zone ?? null,
    capacity: agent.own_capacity ?? "",
    profile: agent.profile,
    live_chat: agent.live_chat,
    mode: schedule === null ? "always" : schedule.length === 0 ? "never" : "week",
    schedule: weekOf(schedule ?? [], nextKey),
    sound: agent.notifications.sound ?? true,
    web_push: agent.notifications.web_push ?? true,
    email_alerts: agent.notifications.email ?? true,
  };
}

export function agentBody(form: AgentForm): Body<"agents"> {
  const schedule = { always: null, never: [], week: blocksOf(form.schedule) }[form.mode];
  return {
    name: form.name.trim(),
    email: form.email.trim(),
    avatar_url: form.avatar_url.trim() || null,
    time_zone: form.time_zone,
    capacity: form.capacity === "" ? null : form.capacity,
    profile: form.profile,
    live_chat: form.live_chat,
    schedule,
    notifications: { sound: form.sound, web_push: form.web_push, email: form.email_alerts },
  };
}

/** The fields that cannot be sent as they are. */
export function wrongFields(form: AgentForm): ("name" | "email" | "schedule")[] {
  const isScheduleWrong = form.mode === "week" && [...wrong(form.schedule).values()].includes("time");
  return [
    ...(form.name.trim() === "" ? (["name"] as const) : []),
    ...(/^\S+@\S+$/.test(form.email.trim()) ? [] : (["email"] as const)),
    ...(isScheduleWrong ? (["schedule"] as const) : []),
  ];
}
