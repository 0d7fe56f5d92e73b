"""Links that sign an agent in, as a website's backend or an admin gives them out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from rondo_common.clock import Clock
from rondo_common.directory.entries import AgentEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import AgentId
from rondo_common.permissions import Permission
from rondo_gateway.domain.permissions import named_agent, require_no_escalation
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.domain.sign_in import (
    INBOX,
    KeptLink,
    SignInLink,
    SignInLinkBody,
    TicketSecret,
    known_agent,
)
from rondo_gateway.handlers.own_workspace import entry_of, managed_workspace
from rondo_gateway.ports import DirectoryView, Ticket, TicketKind, Tickets


class SignInLinks:
    """Gives out links. Each is good for one use, and only the hash of its token is kept."""

    def __init__(
        self, directory: DirectoryView, tickets: Tickets, clock: Clock, new_secret: Callable[[], str]
    ) -> None:
        self._directory = directory
        self._tickets = tickets
        self._clock = clock
        self._new_secret = new_secret

    async def issue(
        self, caller: Principal, agent_id: AgentId, body: SignInLinkBody, public_url: str
    ) -> SignInLink:
        """A link to the inbox, which is found below ``public_url``.

        Raises:
            NotFound: there is no such agent.
            NotPermitted: the caller may not see to agents, or this one may do more than they.
        """
        found = await managed_workspace(self._directory, caller, Permission.ADMIN_AGENTS)
        agent = await self._agent(found, named_agent(caller, agent_id))
        # Who signs in as somebody can do what they can.
        require_no_escalation(caller, found, found.permissions_of(agent.profile))
        now = self._clock()
        secret = TicketSecret(entry_of(found).id, self._new_secret())
        link = KeptLink(
            agent=known_agent(found, agent),
            expires_at=now + timedelta(seconds=body.ttl_s),
            return_to=body.return_to,
        )
        ticket = Ticket(secret.workspace_id, TicketKind.LINK, secret.sha256)
        await self._tickets.keep(ticket, link.model_dump_json(), body.ttl_s)
        # Behind the hash, so that no server's log and no Referer ever has it.
        return SignInLink(url=f"{public_url}{INBOX}sign-in#token={secret}", expires_at=link.expires_at)

    async def _agent(self, found: WorkspaceDirectory, agent_id: AgentId) -> AgentEntry:
        if agent_id not in found.agents:
            await self._directory.refresh()  # They may have been defined at another gateway just now.
        if agent_id not in found.agents:
            raise NotFound("agent", agent_id)
        return found.agents[agent_id].entry
