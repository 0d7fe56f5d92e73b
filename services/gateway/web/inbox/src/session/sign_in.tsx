// Signing in: by a link that was sent, or by the company's own sign-in.

import { Button, Center, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { answered } from "@rondo/client";
import { useMutation, useQuery } from "@tanstack/react-query";
import { createLazyRoute, useRouteContext, useRouter } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { problemText } from "../app/problem.ts";
import { Loading } from "../app/states.tsx";
import { safeReturn, sessionQuery } from "./session.ts";

export const lazyRoute = createLazyRoute("/sign-in")({ component: SignInPage });

const WORKSPACE_NAME = "rondo:workspace";

function SignInPage() {
  const { t } = useTranslation();
  const { return_to, problem } = lazyRoute.useSearch();
  const token = useToken();
  const signIn = useSignIn(token, safeReturn(return_to));
  const reason = signIn.error ? problemText(t, signIn.error) : problem && reasonOf(t, problem);
  if (token !== null && !signIn.error) return <Loading />;
  return (
    <Center mih="100dvh" p="md" component="main">
      <Paper withBorder p="xl" w="100%" maw="26rem" radius="lg">
        <Stack gap="md">
          <img src="/inbox/favicon.svg" width={40} height={40} alt="" />
          <Title order={1} size="h3">
            {t("sign_in.title")}
          </Title>
          {reason ? (
            <Text role="alert" c="red.8" size="sm" className="problem-text">
              {reason}
            </Text>
          ) : null}
          <CompanySignIn returnTo={safeReturn(return_to)} />
          <Text size="sm" c="dimmed">
            {t("sign_in.by_link")}
          </Text>
        </Stack>
      </Paper>
    </Center>
  );
}

/** The link's secret, taken out of the address at once so that it is neither kept nor seen there. */
function useToken(): string | null {
  const [token] = useState(() => new URLSearchParams(location.hash.slice(1)).get("token"));
  useEffect(() => {
    if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
  }, []);
  return token;
}

function useSignIn(token: string | null, returnTo: string) {
  const { api, gate, queryClient } = useRouteContext({ from: "/sign-in" });
  const router = useRouter();
  const signIn = useMutation({
    mutationFn: (secret: string) => answered(api.POST("/v1/sessions", { body: { token: secret } })),
    onSuccess: async (session) => {
      gate.csrfToken = session.csrf_token;
      localStorage.setItem(WORKSPACE_NAME, session.workspace.id);
      queryClient.clear();
      queryClient.setQueryData(sessionQuery(api, gate).queryKey, session);
      await router.invalidate();
      router.history.replace(`/inbox${returnTo}`);
    },
  });
  const isAsked = useRef(false);
  const { mutate } = signIn;
  useEffect(() => {
    // The secret is good for once; React shows a page twice while it is being developed.
    if (token === null || isAsked.current) return;
    isAsked.current = true;
    mutate(token);
  }, [token, mutate]);
  return signIn;
}

/** The button to the company's own sign-in, where the workspace has one. */
function CompanySignIn({ returnTo }: { returnTo: string }) {
  const { t } = useTranslation();
  const { api } = useRouteContext({ from: "/sign-in" });
  const { workspace_id } = lazyRoute.useSearch();
  const [workspaceId, setWorkspaceId] = useState(
    workspace_id ?? localStorage.getItem(WORKSPACE_NAME) ?? "",
  );
  const query = workspaceId ? { workspace_id: workspaceId } : {};
  const methods = useQuery({
    queryKey: ["sign_in_methods", workspaceId],
    queryFn: () => answered(api.GET("/v1/sign_in_methods", { params: { query } })),
  });
  if (!methods.data?.oidc) return null;
  const address = `/v1/oidc/start?${new URLSearchParams({ workspace_id: workspaceId, return_to: `/inbox${returnTo}` })}`;
  return (
    <Stack gap="sm">
      <TextInput
        label={t("sign_in.workspace")}
        value={workspaceId}
        autoComplete="organization"
        onChange={(event) => setWorkspaceId(event.currentTarget.value.trim())}
      />
      <Button component="a" href={address} disabled={!workspaceId}>
        {t("sign_in.company")}
      </Button>
    </Stack>
  );
}

function reasonOf(t: ReturnType<typeof useTranslation>["t"], problem: string): string {
  if (problem === "expired") return t("sign_in.expired");
  if (problem === "signed_out") return t("sign_in.signed_out");
  return t("sign_in.failed", { problem });
}
