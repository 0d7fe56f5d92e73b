"""The places of agents in their workspace's sequence, given by Redis."""

from __future__ import annotations

from rondo_common.ids import WorkspaceId
from rondo_common.redis.functions import FunctionCall, FunctionLibrary
from rondo_common.redis.keys import workspace_key


def last_place_key(workspace_id: WorkspaceId) -> str:
    """The last place that was given in a workspace: a number."""
    return workspace_key(workspace_id, "agent_place")


class RedisPlaces:
    """See :class:`rondo_gateway.ports.Places`."""

    def __init__(self, functions: FunctionLibrary) -> None:
        self._functions = functions

    async def next(self, workspace_id: WorkspaceId, last: int) -> int | None:
        """See :class:`Places`."""
        return await self._call(workspace_id, last, 0) or None

    async def begin(self, workspace_id: WorkspaceId, last: int) -> int:
        """See :class:`Places`."""
        return await self._call(workspace_id, last, 1)

    async def _call(self, workspace_id: WorkspaceId, last: int, is_certain: int) -> int:
        keys = (last_place_key(workspace_id),)
        call = FunctionCall("rondo_gateway_next_place", keys, (last, is_certain))
        return int(await self._functions.call(call))
