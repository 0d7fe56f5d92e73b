// Leaving: this browser, or all of them.

import { notifications } from "@mantine/notifications";
import { answered } from "@rondo/client";
import { useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useNeeds } from "../app/needs.ts";
import { problemText } from "../app/problem.ts";

/** Signs the agent out; afterwards the page for signing in is shown, and nothing of theirs is kept. */
export function useSignOut() {
  const { t } = useTranslation();
  const { api, gate, queryClient } = useNeeds();
  const router = useRouter();

  async function leave(path: "/v1/session" | "/v1/sessions"): Promise<void> {
    try {
      await answered(api.DELETE(path));
    } catch (error) {
      notifications.show({ color: "red", message: problemText(t, error) });
      return;
    }
    gate.csrfToken = null;
    queryClient.clear();
    await router.navigate({ to: "/sign-in", search: { problem: "signed_out" } });
  }

  return {
    signOut: () => void leave("/v1/session"),
    signOutEverywhere: () => void leave("/v1/sessions"),
  };
}
