// Browser notifications in components.

import { browserKeep } from "@rondo/client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { useApi } from "../app/needs.ts";
import { pushState, renewWorker, switchPushOff, switchPushOn } from "./subscription.ts";

const KEY = ["push_state"];

/** How notifications are in this browser, and the switch. */
export function usePush() {
  const api = useApi();
  const queries = useQueryClient();
  const state = useQuery({ queryKey: KEY, queryFn: pushState });
  const change = useMutation({
    mutationFn: (isOn: boolean) => {
      const keep = browserKeep("local");
      return isOn ? switchPushOn(api, keep) : switchPushOff(api, keep);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
  return { state: state.data, change };
}

/** Goes where a click on a notification leads. */
export function useNotificationClicks(): void {
  const router = useRouter();
  useEffect(() => {
    void renewWorker();
    const workers = navigator.serviceWorker;
    if (!workers) return;
    const hear = ({ data }: MessageEvent) => {
      if (data?.type !== "rondo.open" || typeof data.place !== "string") return;
      if (data.place.startsWith("/inbox/")) router.history.push(data.place);
    };
    workers.addEventListener("message", hear);
    return () => workers.removeEventListener("message", hear);
  }, [router]);
}
