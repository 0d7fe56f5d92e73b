"""Who has an inbox open, by the leases that gateways keep on Redis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from redis.asyncio import Redis

from rondo_common.clock import milliseconds
from rondo_common.ids import AgentId, WorkspaceId
from rondo_common.redis.connection import redis_errors
from rondo_common.redis.keys import presence_key


class RedisPresences:
    """See :class:`rondo_notifier.ports.Presences`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def present(self, agents: Sequence[tuple[WorkspaceId, AgentId]], now: datetime) -> list[bool]:
        """See :class:`Presences`."""
        if not agents:
            return []
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for workspace_id, agent_id in agents:
                pipeline.zscore(presence_key(workspace_id), agent_id)
            ends: list[float | None] = await pipeline.execute()
        return [end is not None and end > milliseconds(now) for end in ends]
