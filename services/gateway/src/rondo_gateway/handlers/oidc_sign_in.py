"""Signing in by the installation's OpenID Connect issuer: to it with the browser, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rondo_common.clock import Clock
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import WorkspaceId
from rondo_gateway.domain.oidc import (
    FLOW_TTL,
    FlowSecrets,
    KeptFlow,
    SignInFailed,
    SignInProblem,
    agent_with_email,
    require_this_sign_in,
    verified_email,
)
from rondo_gateway.domain.sign_in import (
    INBOX,
    SessionSecret,
    SignInMethods,
    TicketSecret,
    is_inside_inbox,
    ticket_secret,
)
from rondo_gateway.handlers.own_workspace import entry_of
from rondo_gateway.handlers.rate_limits import Limits
from rondo_gateway.handlers.sign_ins import SignedIn, SignIns
from rondo_gateway.ports import (
    AuthorizationRequest,
    DirectoryView,
    Issuer,
    Redemption,
    Ticket,
    TicketKind,
    Tickets,
)

CANCELLED = frozenset({"access_denied", "login_required", "interaction_required", "consent_required"})
"""What an issuer says when nobody signed in there."""


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and the secret that it keeps until it is back."""

    url: str
    browser_secret: str


@dataclass(frozen=True, slots=True)
class Return:
    """What a browser brings back from the issuer."""

    state: str | None
    code: str | None
    error: str | None
    issuer: str | None
    browser_secret: str | None


class OidcSignIn:
    """Signs agents in whom the issuer knows. Without an issuer, nobody."""

    def __init__(
        self,
        directory: DirectoryView,
        issuer: Issuer | None,
        tickets: Tickets,
        sign_ins: SignIns,
        limits: Limits,
        clock: Clock,
        new_secret: Callable[[], str],
    ) -> None:
        self._directory = directory
        self._issuer = issuer
        self._tickets = tickets
        self._sign_ins = sign_ins
        self._limits = limits
        self._clock = clock
        self._new_secret = new_secret

    def methods(self) -> SignInMethods:
        """How agents can sign in by themselves. The same for every workspace, whether there is one of
        the id or not: so nobody learns which there are."""
        return SignInMethods(oidc=self._issuer is not None)

    async def start(
        self, workspace_id: WorkspaceId, return_to: str | None, redirect_uri: str, address: str
    ) -> Departure:
        """Begin to sign in to a workspace. A place outside of the inbox is not returned to.

        Raises:
            SignInFailed: it cannot be begun.
            LimitReached: too much is tried from the internet address.
        """
        issuer = self._required_issuer()
        found = await self._workspace(workspace_id)
        await self._limits.of_sign_in(entry_of(found), address)
        secrets = FlowSecrets(self._new_secret())
        state = TicketSecret(entry_of(found).id, self._new_secret())
        is_good = return_to is not None and is_inside_inbox(return_to)
        flow = KeptFlow(
            browser_sha256=secrets.browser_sha256,
            return_to=return_to if return_to is not None and is_good else INBOX,
            expires_at=self._clock() + FLOW_TTL,
        )
        request = AuthorizationRequest(redirect_uri, str(state), secrets.nonce, secrets.code_challenge)
        url = await issuer.authorization_url(request)
        await self._tickets.keep(_ticket(state), flow.model_dump_json(), int(FLOW_TTL.total_seconds()))
        return Departure(url, secrets.browser_secret)

    async def finish(
        self, back: Return, redirect_uri: str, former: SessionSecret | None = None
    ) -> SignedIn:
        """Sign the agent in who is back from the issuer; the browser's ``former`` session ends.

        Raises:
            SignInFailed: nobody is signed in.
        """
        issuer = self._required_issuer()
        state = None if back.state is None else ticket_secret(back.state)
        if state is None or back.browser_secret is None:
            raise SignInFailed(SignInProblem.EXPIRED, "it was not begun in this browser")
        flow = await self._flow(state)
        secrets = FlowSecrets(back.browser_secret)
        if flow is None or not secrets.are_of(flow):
            raise SignInFailed(
                SignInProblem.EXPIRED, "its state is unknown, used, too old or of another browser"
            )
        _require_code(back, issuer)
        redemption = Redemption(str(back.code), redirect_uri, secrets.code_verifier)
        claims = await issuer.identity(redemption)
        require_this_sign_in(claims, secrets.nonce, issuer.client_id, self._clock())
        found = await self._workspace(state.workspace_id)
        email = verified_email(claims)
        agent = agent_with_email(found, email)
        if agent is None:
            await self._directory.refresh()  # They may have been defined at another gateway just now.
            agent = agent_with_email(found, email)
        if agent is None:
            raise SignInFailed(SignInProblem.AGENT_UNKNOWN, "no agent has the email address")
        return replace(await self._sign_ins.of_agent(found, agent, former), return_to=flow.return_to)

    async def _flow(self, state: TicketSecret) -> KeptFlow | None:
        kept = await self._tickets.take(_ticket(state))
        flow = None if kept is None else KeptFlow.model_validate_json(kept)
        return None if flow is None or flow.expires_at <= self._clock() else flow

    async def _workspace(self, workspace_id: WorkspaceId) -> WorkspaceDirectory:
        found = self._directory.find(workspace_id)
        if found is None:
            await self._directory.refresh()
            found = self._directory.find(workspace_id)
        if found is None:
            raise SignInFailed(SignInProblem.WORKSPACE_UNKNOWN, f"there is no workspace {workspace_id}")
        return found

    def _required_issuer(self) -> Issuer:
        if self._issuer is None:
            raise SignInFailed(SignInProblem.NOT_SET_UP, "RONDO_OIDC_ISSUER is not set")
        return self._issuer


def _require_code(back: Return, issuer: Issuer) -> None:
    """Raises ``SignInFailed`` unless the browser brings a code of the issuer."""
    if back.issuer is not None and back.issuer != issuer.name:  # RFC 9207
        raise SignInFailed(SignInProblem.IDENTITY_INVALID, "the answer is of another issuer")
    if back.error is not None:
        problem = SignInProblem.CANCELLED if back.error in CANCELLED else SignInProblem.PROVIDER_REFUSED
        raise SignInFailed(problem, f"the issuer answered {back.error[:100]!r}")
    if not back.code:
        raise SignInFailed(
            SignInProblem.PROVIDER_REFUSED, "the issuer sent the browser back without a code"
        )


def _ticket(state: TicketSecret) -> Ticket:
    return Ticket(state.workspace_id, TicketKind.FLOW, state.sha256)
