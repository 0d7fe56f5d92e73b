// The service worker: shows that a chat rings while no inbox is open, and leads to it.

import { deedFor, noticeOf, placeOf } from "./notice.ts";

// What a service worker's global scope has, as far as it is used; the types of pages do not know it.
interface Waiting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Client {
  url: string;
  focus(): Promise<Client>;
  postMessage(message: unknown): void;
}
interface WorkerScope {
  registration: ServiceWorkerRegistration;
  clients: {
    matchAll(options: { type: "window"; includeUncontrolled: boolean }): Promise<Client[]>;
    openWindow(address: string): Promise<Client | null>;
    claim(): Promise<void>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: string, listener: (event: never) => void): void;
}
const worker = self as unknown as WorkerScope;

worker.addEventListener("install", (event: Waiting) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event: Waiting) => event.waitUntil(worker.clients.claim()));

worker.addEventListener("push", (event: Waiting & { data: { text(): string } | null }) => {
  event.waitUntil(hear(event.data?.text()));
});

worker.addEventListener("notificationclick", (event: Waiting & { notification: Notification }) => {
  event.notification.close();
  event.waitUntil(lead(placeOf(event.notification.data)));
});

async function hear(text: string | undefined): Promise<void> {
  const deed = deedFor(noticeOf(text), Date.now());
  if (deed.do === "show") await worker.registration.showNotification(deed.title, deed.options);
  if (deed.do !== "close") return;
  const shown = await worker.registration.getNotifications({ tag: deed.tag });
  for (const notification of shown) notification.close();
}

/** To the inbox that is open, if one is; it goes to the chat itself and loses nothing that is being written. */
async function lead(place: string): Promise<void> {
  const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const inbox = windows.find(({ url }) => new URL(url).pathname.startsWith("/inbox/"));
  if (!inbox) {
    await worker.clients.openWindow(place);
    return;
  }
  inbox.postMessage({ type: "rondo.open", place });
  await inbox.focus();
}
