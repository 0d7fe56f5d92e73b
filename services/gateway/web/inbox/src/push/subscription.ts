// Browser notifications: whether they are possible, wanted, and on.

import { type Api, answered, type Keep } from "@rondo/client";

/** What can be said of notifications in this browser. */
export type PushState = "unsupported" | "denied" | "off" | "on";

const ID_NAME = "rondo:push";
const WORKER = "/inbox/sw.js";
const SCOPE = "/inbox/";

/** Whether this browser can be told of chats while no inbox is open. */
export function isPushPossible(): boolean {
  return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

/** How it is now. */
export async function pushState(): Promise<PushState> {
  if (!isPushPossible()) return "unsupported";
  if (Notification.permission === "denied") return "denied";
  const registration = await navigator.serviceWorker.getRegistration(SCOPE);
  const subscription = await registration?.pushManager.getSubscription();
  return subscription ? "on" : "off";
}

/** Asks the person, then has this browser told. To be called by a click: browsers want to know why. */
export async function switchPushOn(api: Api, keep: Keep): Promise<PushState> {
  if ((await Notification.requestPermission()) !== "granted") return pushState();
  await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
  const registration = await navigator.serviceWorker.ready;
  const { public_key: key } = await answered(api.GET("/v1/push_key"));
  const subscription = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytesOf(key),
  });
  const { endpoint, keys } = subscription.toJSON();
  const body = { endpoint: endpoint ?? "", keys: { p256dh: keys?.p256dh ?? "", auth: keys?.auth ?? "" } };
  const params = { path: { agent_id: "me" } };
  const { id } = await answered(
    api.POST("/v1/agents/{agent_id}/push_subscriptions", { params, body: body as never }),
  );
  keep.set(ID_NAME, id);
  return "on";
}

/** Has this browser told no longer. */
export async function switchPushOff(api: Api, keep: Keep): Promise<PushState> {
  const registration = await navigator.serviceWorker.getRegistration(SCOPE);
  const subscription = await registration?.pushManager.getSubscription();
  await subscription?.unsubscribe();
  const id = keep.get(ID_NAME);
  keep.set(ID_NAME, null);
  if (id) {
    const params = { path: { agent_id: "me", subscription_id: id } };
    await answered(api.DELETE("/v1/agents/{agent_id}/push_subscriptions/{subscription_id}", { params }));
  }
  return pushState();
}

/** The service worker is renewed with the pages; nothing is asked of anybody. */
export async function renewWorker(): Promise<void> {
  if (!isPushPossible() || Notification.permission !== "granted") return;
  await navigator.serviceWorker.register(WORKER, { scope: SCOPE }).catch(() => {});
}

/** The bytes that base64url text stands for. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const base64 = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
