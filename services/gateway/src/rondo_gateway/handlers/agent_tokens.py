"""Signing agents in, as a website's backend vouches for them."""

from __future__ import annotations

from rondo_common.clock import Clock
from rondo_common.ids import AgentId
from rondo_gateway.domain.limits import AGENT_TOKEN_TTL_S_DEFAULT
from rondo_gateway.domain.permissions import require_backend
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.domain.representation import AgentToken
from rondo_gateway.domain.tokens import AgentSubject, claims_for
from rondo_gateway.handlers.own_workspace import entry_of, seen_workspace
from rondo_gateway.ports import DirectoryView, Tokens


class AgentTokens:
    """Issues the tokens of agents."""

    def __init__(self, directory: DirectoryView, tokens: Tokens, clock: Clock) -> None:
        self._directory = directory
        self._tokens = tokens
        self._clock = clock

    async def issue(
        self, caller: Principal, agent_id: AgentId, ttl_s: int = AGENT_TOKEN_TTL_S_DEFAULT
    ) -> AgentToken:
        """A bearer token for an agent, valid so many seconds. Raises ``NotFound``."""
        workspace_id = require_backend(caller).workspace_id
        found = await seen_workspace(self._directory, workspace_id)
        if agent_id not in found.agents:
            await self._directory.refresh()
        if agent_id not in found.agents:
            raise NotFound("agent", agent_id)
        claims = claims_for(AgentSubject(agent_id), entry_of(found), self._clock(), ttl_s)
        return AgentToken(token=self._tokens.issue(claims), expires_at=claims.expires_at)
