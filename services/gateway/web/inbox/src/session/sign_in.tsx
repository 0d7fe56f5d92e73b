// Signing in: by a link that was sent, or by the company's own sign-in.

import "../app/more_styles.ts";
import { Button, Center, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { answered, type RondoError } from "@rondo/client";
import { useMutation } from "@tanstack/react-query";
import { createLazyRoute, useRouteContext, useRouter } from "@tanstack/react-router";
import type { TFunction } from "i18next";
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
            <Text role="alert" size="sm" className="problem-text">
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
    onSuccess: async ({ return_to, ...session }) => {
      gate.csrfToken = session.csrf_token;
      localStorage.setItem(WORKSPACE_NAME, session.workspace.id);
      queryClient.clear();
      queryClient.setQueryData(sessionQuery(api, gate).queryKey, session);
      await router.invalidate();
      router.history.replace(`/inbox${return_to ? safeReturn(return_to) : returnTo}`);
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

/** The way to the company's own sign-in, where the workspace has one. */
function CompanySignIn({ returnTo }: { returnTo: string }) {
  const { t } = useTranslation();
  const { api } = useRouteContext({ from: "/sign-in" });
  const { workspace_id } = lazyRoute.useSearch();
  const [workspaceId, setWorkspaceId] = useState(
    workspace_id ?? localStorage.getItem(WORKSPACE_NAME) ?? "",
  );
  const start = useMutation({
    mutationFn: async (query: { workspace_id: string }) => {
      const { oidc } = await answered(api.GET("/v1/sign_in_methods", { params: { query } }));
      const address = new URLSearchParams({ ...query, return_to: `/inbox${returnTo}` });
      if (oidc) location.assign(`/v1/oidc/start?${address}`);
      return oidc;
    },
  });
  const isMissing = start.data === false || (start.error as RondoError | null)?.status === 404;
  const problem = isMissing ? t("sign_in.no_company") : start.error ? problemText(t, start.error) : null;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (workspaceId) start.mutate({ workspace_id: workspaceId });
      }}
    >
      <Stack gap="sm">
        <TextInput
          label={t("sign_in.workspace")}
          value={workspaceId}
          autoComplete="organization"
          required
          error={problem}
          onChange={(event) => setWorkspaceId(event.currentTarget.value.trim())}
        />
        <Button type="submit" loading={start.isPending || start.data === true}>
          {t("sign_in.company")}
        </Button>
      </Stack>
    </form>
  );
}

function reasonOf(t: TFunction<"app">, problem: string): string {
  if (problem === "expired") return t("sign_in.expired");
  if (problem === "signed_out") return t("sign_in.signed_out");
  return t("sign_in.failed", { problem });
}
