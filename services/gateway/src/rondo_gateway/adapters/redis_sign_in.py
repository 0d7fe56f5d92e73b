"""Signing in on Redis: tickets for one use, and the sessions of agents. Of secrets, it has the hashes."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from redis.asyncio import Redis

from rondo_common.clock import milliseconds
from rondo_common.ids import AgentId, WorkspaceId
from rondo_common.redis.connection import redis_errors
from rondo_common.redis.doorbells import Doorbells
from rondo_common.redis.functions import FunctionCall, FunctionLibrary
from rondo_common.redis.keys import workspace_key
from rondo_gateway.domain.sign_in import SESSIONS_OF_AGENT_MAX, KeptSession
from rondo_gateway.ports import Bell, Ticket


class RedisTickets:
    """See :class:`rondo_gateway.ports.Tickets`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def keep(self, ticket: Ticket, content: str, ttl_s: int) -> None:
        """See :class:`Tickets`."""
        with redis_errors():
            await self._redis.set(ticket_key(ticket), content, ex=ttl_s)

    async def find(self, ticket: Ticket) -> str | None:
        """See :class:`Tickets`."""
        with redis_errors():
            return _text(await self._redis.get(ticket_key(ticket)))

    async def take(self, ticket: Ticket) -> str | None:
        """See :class:`Tickets`."""
        with redis_errors():
            return _text(await self._redis.getdel(ticket_key(ticket)))


class RedisSessions:
    """See :class:`rondo_gateway.ports.SessionStore`."""

    def __init__(self, functions: FunctionLibrary, doorbells: Doorbells) -> None:
        self._functions = functions
        self._doorbells = doorbells

    async def begin(
        self,
        workspace_id: WorkspaceId,
        sha256: str,
        session: KeptSession,
        now: datetime,
        idle_s: int,
        ticket: Ticket | None = None,
    ) -> bool:
        """See :class:`SessionStore`."""
        idle_until = min(now + timedelta(seconds=idle_s), session.ends_at)
        arguments = (
            sha256,
            milliseconds(now),
            milliseconds(idle_until),
            milliseconds(session.ends_at),
            session.model_dump_json(),
            SESSIONS_OF_AGENT_MAX,
        )
        key = sessions_key(workspace_id, session.agent.agent_id)
        keys = (key,) if ticket is None else (key, ticket_key(ticket))
        return bool(
            await self._functions.call(FunctionCall("rondo_gateway_begin_session", keys, arguments))
        )

    async def use(
        self, workspace_id: WorkspaceId, agent_id: AgentId, sha256: str, now: datetime, idle_s: int
    ) -> KeptSession | None:
        """See :class:`SessionStore`."""
        keys = (sessions_key(workspace_id, agent_id),)
        arguments = (sha256, milliseconds(now), idle_s * 1000)
        record = await self._functions.call(FunctionCall("rondo_gateway_use_session", keys, arguments))
        return None if record is None else KeptSession.model_validate_json(record)

    async def end(self, workspace_id: WorkspaceId, agent_id: AgentId, sha256: str) -> None:
        """See :class:`SessionStore`."""
        keys = (sessions_key(workspace_id, agent_id),)
        await self._functions.call(FunctionCall("rondo_gateway_end_session", keys, (sha256,)))

    async def end_all(self, workspace_id: WorkspaceId, agent_id: AgentId) -> None:
        """See :class:`SessionStore`."""
        keys = (sessions_key(workspace_id, agent_id),)
        await self._functions.call(FunctionCall("rondo_gateway_end_sessions", keys))

    def listen(self, workspace_id: WorkspaceId, agent_id: AgentId) -> AbstractAsyncContextManager[Bell]:
        """See :class:`SessionStore`."""
        return self._doorbells.listen(sessions_key(workspace_id, agent_id))


def sessions_key(workspace_id: WorkspaceId, agent_id: AgentId) -> str:
    """The sessions of an agent: a hash. Its doorbell rings when one is ended."""
    return workspace_key(workspace_id, "agent", agent_id, "sessions")


def ticket_key(ticket: Ticket) -> str:
    """What a ticket is about: a text, until it is used."""
    return workspace_key(ticket.workspace_id, ticket.kind, ticket.sha256)


def _text(found: str | bytes | None) -> str | None:
    return found.decode() if isinstance(found, bytes) else found
