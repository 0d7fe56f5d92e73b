// What the service worker does about a push, as pure functions of its message.

/** A push message, as the API documents it. */
export interface PushNotice {
  type: string;
  alert_id: string;
  conversation_id: string;
  title: string;
  body: string;
  url: string;
  tag: string;
  expires_at: string;
}

/** What is to be done. */
export type Deed =
  | { do: "show"; title: string; options: NotificationOptions & { renotify?: boolean } }
  | { do: "close"; tag: string }
  | { do: "nothing" };

/** What a push message leads to. One that came too late to be answered rings nobody. */
export function deedFor(notice: PushNotice | null, nowMs: number): Deed {
  if (!notice?.tag) return { do: "nothing" };
  if (notice.type === "alert.withdrawn") return { do: "close", tag: notice.tag };
  if (Date.parse(notice.expires_at) <= nowMs) return { do: "close", tag: notice.tag };
  return {
    do: "show",
    title: notice.title,
    options: {
      body: notice.body,
      tag: notice.tag,
      renotify: true,
      requireInteraction: true,
      icon: "/inbox/icon-192.png",
      badge: "/inbox/icon-192.png",
      data: { conversation_id: notice.conversation_id },
    },
  };
}

/** The message in a push, if it is one of ours. */
export function noticeOf(text: string | undefined): PushNotice | null {
  try {
    const notice = JSON.parse(text ?? "");
    return typeof notice?.type === "string" && typeof notice?.tag === "string" ? notice : null;
  } catch {
    return null;
  }
}

/** Where a click leads: the chat's place in the inbox, whatever address the message named. */
export function placeOf(data: unknown): string {
  const id = (data as { conversation_id?: unknown } | null)?.conversation_id;
  return typeof id === "string" ? `/inbox/?conversation=${encodeURIComponent(id)}` : "/inbox/";
}
