"""Rate limits on Redis, one function call for all quotas of a request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rondo_common.clock import milliseconds
from rondo_common.ids import WorkspaceId
from rondo_common.redis.functions import FunctionCall, FunctionLibrary
from rondo_common.redis.keys import workspace_key
from rondo_gateway.ports import Quota


class RedisRateLimiter:
    """See :class:`rondo_gateway.ports.RateLimiter`."""

    def __init__(self, functions: FunctionLibrary) -> None:
        self._functions = functions

    async def take(
        self, workspace_id: WorkspaceId, quotas: Sequence[Quota], now: datetime
    ) -> tuple[Quota, int] | None:
        """See :class:`RateLimiter`."""
        keys = tuple(workspace_key(workspace_id, "limit", each.limit, each.subject) for each in quotas)
        arguments = (milliseconds(now), *(each.per_minute for each in quotas))
        answer = await self._functions.call(FunctionCall("rondo_gateway_take", keys, arguments))
        if not answer:
            return None
        number, wait_ms = answer
        return quotas[int(number) - 1], int(wait_ms)
