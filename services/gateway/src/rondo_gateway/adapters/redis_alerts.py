"""Alerts, as the notifier keeps them on Redis."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from redis.asyncio import Redis

from rondo_common.alerts import ALERTS_KEPT_MAX, RECORD_FIELD, AlertRecord
from rondo_common.errors import Unavailable
from rondo_common.ids import AgentId, AlertId, WorkspaceId
from rondo_common.redis.connection import redis_errors
from rondo_common.redis.doorbells import Doorbells
from rondo_common.redis.keys import agent_alerts_key, alert_key

WaitForChange = Callable[[AlertRecord, float], Awaitable[AlertRecord]]


class RedisAlertBook:
    """See :class:`rondo_gateway.ports.AlertBook`."""

    def __init__(self, redis: Redis, doorbells: Doorbells) -> None:
        self._redis = redis
        self._doorbells = doorbells

    async def of_agent(self, workspace_id: WorkspaceId, agent_id: AgentId) -> list[AlertRecord]:
        """See :class:`AlertBook`."""
        with redis_errors():
            found: Any = await self._redis.zrevrange(
                agent_alerts_key(workspace_id, agent_id), 0, ALERTS_KEPT_MAX - 1
            )
            pipeline = self._redis.pipeline(transaction=False)
            for alert_id in found:
                pipeline.hget(alert_key(workspace_id, AlertId(alert_id)), RECORD_FIELD)
            texts: list[str | None] = await pipeline.execute()
        return [AlertRecord.model_validate_json(each, extra="ignore") for each in texts if each is not None]

    async def find(self, workspace_id: WorkspaceId, alert_id: AlertId) -> AlertRecord | None:
        """See :class:`AlertBook`."""
        with redis_errors():
            text = await self._redis.hget(alert_key(workspace_id, alert_id), RECORD_FIELD)
        return None if text is None else AlertRecord.model_validate_json(text, extra="ignore")

    @contextlib.asynccontextmanager
    async def watched(self, workspace_id: WorkspaceId, alert_id: AlertId) -> AsyncIterator[WaitForChange]:
        """See :class:`AlertBook`."""
        async with self._doorbells.listen(alert_key(workspace_id, alert_id)) as bell:

            async def change(before: AlertRecord, wait_s: float) -> AlertRecord:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        while True:
                            bell.clear()
                            with contextlib.suppress(Unavailable):
                                now = await self.find(workspace_id, alert_id)
                                if now is not None and now.state is not before.state:
                                    return now
                            await bell.wait()
                return before

            yield change
