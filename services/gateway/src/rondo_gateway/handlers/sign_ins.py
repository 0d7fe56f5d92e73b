"""Sessions of agents in their browsers: begun by a link or by an issuer's word, shown, and ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from rondo_common.clock import Clock
from rondo_common.directory.entries import AgentEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import WorkspaceId
from rondo_gateway.domain.principals import AgentCaller, Principal
from rondo_gateway.domain.refusals import LinkInvalid, NotAuthenticated, NotPermitted
from rondo_gateway.domain.sign_in import (
    AgentSession,
    KeptLink,
    KnownAgent,
    SessionSecret,
    SessionTimes,
    known_agent,
    session_of,
    ticket_secret,
)
from rondo_gateway.handlers.authentication import SIGNED_OUT
from rondo_gateway.handlers.own_workspace import entry_of
from rondo_gateway.handlers.rate_limits import Limits
from rondo_gateway.ports import Bell, DirectoryView, SessionStore, Ticket, TicketKind, Tickets

LINK_INVALID = "The sign-in link was used already, has expired, or is not whole. Ask for a new one."


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was begun; the browser keeps its secret, for ``max_age_s`` at most."""

    secret: SessionSecret
    session: AgentSession
    max_age_s: int
    return_to: str | None = None


class SignIns:
    """Begins, shows and ends sessions."""

    def __init__(
        self,
        directory: DirectoryView,
        sessions: SessionStore,
        tickets: Tickets,
        limits: Limits,
        times: SessionTimes,
        clock: Clock,
        new_secret: Callable[[], str],
    ) -> None:
        self._directory = directory
        self._sessions = sessions
        self._tickets = tickets
        self._limits = limits
        self._times = times
        self._clock = clock
        self._new_secret = new_secret

    async def by_link(self, token: str, address: str, former: SessionSecret | None = None) -> SignedIn:
        """Sign in with a link's token, from an internet address; the browser's ``former`` session ends.

        Raises:
            LinkInvalid: the link was used or has expired, or its agent is gone.
            LimitReached: too much is tried from the address.
        """
        secret = ticket_secret(token)
        if secret is None:
            raise LinkInvalid(LINK_INVALID)
        found = await self._workspace(secret.workspace_id)
        if found is None:
            raise LinkInvalid(LINK_INVALID)
        await self._limits.of_sign_in(entry_of(found), address)
        ticket = Ticket(secret.workspace_id, TicketKind.LINK, secret.sha256)
        kept = await self._tickets.find(ticket)
        link = None if kept is None else KeptLink.model_validate_json(kept)
        if link is None or link.expires_at <= self._clock():
            raise LinkInvalid(LINK_INVALID)
        agent = await self._agent(secret.workspace_id, link.agent)
        signed_in = None if agent is None else await self._begin(found, agent, former, ticket)
        if signed_in is None:
            raise LinkInvalid(LINK_INVALID)
        return replace(signed_in, return_to=link.return_to)

    async def of_agent(
        self, found: WorkspaceDirectory, agent: AgentEntry, former: SessionSecret | None = None
    ) -> SignedIn:
        """Sign an agent in whom somebody else vouches for; the browser's ``former`` session ends."""
        signed_in = await self._begin(found, agent, former, None)
        assert signed_in is not None  # noqa: S101 - no ticket was to be used
        return signed_in

    async def show(self, secret: SessionSecret, caller: AgentCaller) -> AgentSession:
        """The session of a browser, whose ``caller`` was just identified by it.

        Raises:
            NotAuthenticated: its agent was deleted this moment.
        """
        found = self._directory.find(caller.workspace_id)
        defined = None if found is None else found.agents.get(caller.agent_id)
        if found is None or defined is None:
            raise NotAuthenticated(SIGNED_OUT)
        expires_at = self._times.expires_at(caller.expires_at, self._clock())
        return session_of(found, defined.entry, secret, expires_at)

    async def end(self, secret: SessionSecret) -> None:
        """Sign a browser out. Its streams close."""
        await self._sessions.end(secret.workspace_id, secret.agent_id, secret.sha256)

    async def end_everywhere(self, caller: Principal) -> None:
        """Sign the calling agent out in every browser. Their streams close."""
        if not isinstance(caller, AgentCaller):
            raise NotPermitted("Only an agent has sessions to sign out from. Use the agent's own token.")
        await self._sessions.end_all(caller.workspace_id, caller.agent_id)

    def endings(self, caller: AgentCaller) -> AbstractAsyncContextManager[Bell]:
        """A bell that rings when a session of the agent was ended."""
        return self._sessions.listen(caller.workspace_id, caller.agent_id)

    async def _begin(
        self,
        found: WorkspaceDirectory,
        agent: AgentEntry,
        former: SessionSecret | None,
        ticket: Ticket | None,
    ) -> SignedIn | None:
        """None when the ticket was used meanwhile."""
        workspace_id, now = entry_of(found).id, self._clock()
        secret = SessionSecret(workspace_id, agent.id, self._new_secret())
        kept = self._times.begin(known_agent(found, agent), now)
        idle_s = self._times.idle_s
        if not await self._sessions.begin(workspace_id, secret.sha256, kept, now, idle_s, ticket):
            return None
        if former is not None:
            await self.end(former)  # Nobody could sign it out any more: the browser forgets it.
        expires_at = self._times.expires_at(kept.ends_at, now)
        return SignedIn(secret, session_of(found, agent, secret, expires_at), self._times.max_s)

    async def _workspace(self, workspace_id: WorkspaceId) -> WorkspaceDirectory | None:
        found = self._directory.find(workspace_id)
        if found is None:
            await self._directory.refresh()  # It may have been made at another gateway just now.
            found = self._directory.find(workspace_id)
        return found

    async def _agent(self, workspace_id: WorkspaceId, agent: KnownAgent) -> AgentEntry | None:
        entry = agent.entry_in(self._directory.find(workspace_id))
        if entry is None:
            await self._directory.refresh()
            entry = agent.entry_in(self._directory.find(workspace_id))
        return entry
