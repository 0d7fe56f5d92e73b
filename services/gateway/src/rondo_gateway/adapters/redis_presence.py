"""Presence on Redis: leases that any gateway renews and the router reads."""

from __future__ import annotations

from datetime import datetime

from rondo_common.clock import milliseconds
from rondo_common.ids import AgentId, WorkspaceId
from rondo_common.redis.functions import FunctionCall, FunctionLibrary
from rondo_common.redis.keys import presence_key, workspace_key

KEPT_S = 24 * 60 * 60
"""How long after the last renewal of a workspace its leases, all over by then, are kept."""


class RedisPresence:
    """See :class:`rondo_gateway.ports.Presence`."""

    def __init__(self, functions: FunctionLibrary) -> None:
        self._functions = functions

    async def renew(
        self,
        workspace_id: WorkspaceId,
        agent_id: AgentId,
        now: datetime,
        lease_s: float,
        margin_s: float = 0.0,
    ) -> bool:
        """See :class:`Presence`."""
        keys = (presence_key(workspace_id), announced_presence_key(workspace_id))
        arguments = (agent_id, _end_ms(now, margin_s), _end_ms(now, lease_s), KEPT_S)
        call = FunctionCall("rondo_gateway_renew_presence", keys, arguments)
        return bool(await self._functions.call(call))

    async def note_announced(
        self, workspace_id: WorkspaceId, agent_id: AgentId, now: datetime, lease_s: float
    ) -> None:
        """See :class:`Presence`."""
        keys = (announced_presence_key(workspace_id),)
        arguments = (agent_id, _end_ms(now, lease_s), KEPT_S)
        await self._functions.call(FunctionCall("rondo_gateway_note_announced_presence", keys, arguments))

    async def present_at(self, workspace_id: WorkspaceId, now: datetime) -> set[AgentId]:
        """See :class:`Presence`."""
        call = FunctionCall("rondo_gateway_present", (presence_key(workspace_id),), (milliseconds(now),))
        return {AgentId(each) for each in await self._functions.call(call)}


def announced_presence_key(workspace_id: WorkspaceId) -> str:
    """Until when the router knows of each agent's presence, in ms: a sorted set."""
    return workspace_key(workspace_id, "presence", "announced")


def _end_ms(now: datetime, lease_s: float) -> int:
    return milliseconds(now) + round(lease_s * 1000)
