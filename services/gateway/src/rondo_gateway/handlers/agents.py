"""Agents, as a website's backend provisions them."""

from __future__ import annotations

from dataclasses import dataclass

from rondo_common.clock import Clock
from rondo_common.directory.defined import Defined
from rondo_common.directory.entries import AgentEntry, Kind, WorkspaceEntry, WorkspaceSettings
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.events import AgentDefined
from rondo_common.ids import AgentId, WorkspaceId
from rondo_gateway.domain.limits import AGENT_TOKEN_TTL_S_DEFAULT
from rondo_gateway.domain.paging import page_of
from rondo_gateway.domain.permissions import require_backend
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.provisioning import AgentBody
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.domain.representation import Agent, AgentToken, agent_of
from rondo_gateway.domain.tokens import AgentSubject, claims_for
from rondo_gateway.ports import Definition, DirectoryLog, DirectoryView, Tokens


@dataclass(frozen=True, slots=True)
class VersionedAgent:
    """An agent as shown, with the version (the offset that defined it) and whether it is new."""

    agent: Agent
    version: int
    is_new: bool = False


class Agents:
    """Defines, lists and deletes agents, and lets backends sign them in."""

    def __init__(self, directory: DirectoryView, log: DirectoryLog, tokens: Tokens, clock: Clock) -> None:
        self._directory = directory
        self._log = log
        self._tokens = tokens
        self._clock = clock

    async def put(self, caller: Principal, agent_id: AgentId, body: AgentBody) -> VersionedAgent:
        """Define an agent, new or anew."""
        workspace_id = require_backend(caller).workspace_id
        found = await self._workspace(workspace_id)
        is_new = agent_id not in found.agents
        entry = body.entry(agent_id)
        definition = Definition(Kind.AGENT, agent_id, AgentDefined(agent=entry))
        (offset,) = await self._log.write(workspace_id, [definition])
        return VersionedAgent(agent_of(entry, _settings(found)), offset, is_new)

    async def read(self, caller: Principal, agent_id: AgentId) -> VersionedAgent:
        """One agent."""
        found = await self._workspace(require_backend(caller).workspace_id)
        defined = await self._known(found, agent_id)
        return VersionedAgent(agent_of(defined.entry, _settings(found)), defined.offset)

    async def list_page(
        self, caller: Principal, limit: int, after: str | None
    ) -> tuple[list[Agent], str | None]:
        """A page of the workspace's agents, by id."""
        found = await self._workspace(require_backend(caller).workspace_id)
        entries = [defined.entry for defined in found.agents.values()]
        page, cursor = page_of(entries, lambda entry: entry.id, limit, after)
        return [agent_of(entry, _settings(found)) for entry in page], cursor

    async def delete(self, caller: Principal, agent_id: AgentId) -> None:
        """Remove an agent: nothing is offered to them any more, and their tokens open nothing."""
        workspace_id = require_backend(caller).workspace_id
        await self._known(await self._workspace(workspace_id), agent_id)
        removals = [Definition(kind, agent_id, None) for kind in (Kind.AGENT, Kind.TOGGLE)]
        await self._log.write(workspace_id, removals)

    async def issue_token(
        self, caller: Principal, agent_id: AgentId, ttl_s: int = AGENT_TOKEN_TTL_S_DEFAULT
    ) -> AgentToken:
        """A bearer token for an agent, valid so many seconds."""
        found = await self._workspace(require_backend(caller).workspace_id)
        await self._known(found, agent_id)
        claims = claims_for(AgentSubject(agent_id), _entry(found), self._clock(), ttl_s)
        return AgentToken(token=self._tokens.issue(claims), expires_at=claims.expires_at)

    async def _workspace(self, workspace_id: WorkspaceId) -> WorkspaceDirectory:
        await self._directory.see_own_writes(workspace_id)
        found = self._directory.find(workspace_id)
        if found is None:  # Deleted since the caller was identified.
            raise NotFound("workspace", workspace_id)
        return found

    async def _known(self, found: WorkspaceDirectory, agent_id: AgentId) -> Defined[AgentEntry]:
        if agent_id not in found.agents:
            await self._directory.refresh()
        if agent_id not in found.agents:
            raise NotFound("agent", agent_id)
        return found.agents[agent_id]


def _entry(found: WorkspaceDirectory) -> WorkspaceEntry:
    assert found.workspace is not None  # noqa: S101 - a view finds only workspaces that exist
    return found.workspace


def _settings(found: WorkspaceDirectory) -> WorkspaceSettings:
    return _entry(found).settings
