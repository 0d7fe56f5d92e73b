"""Limits in memory: of each quota, when its tokens were taken, as a bucket that fills evenly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rondo_common.errors import Unavailable
from rondo_common.ids import WorkspaceId
from rondo_gateway.ports import Quota


@dataclass
class FakeRateLimiter:
    """A :class:`rondo_gateway.ports.RateLimiter` without a server."""

    buckets: dict[tuple[WorkspaceId, str, str], tuple[float, datetime]] = field(default_factory=dict)
    is_unreachable: bool = False

    async def take(
        self, workspace_id: WorkspaceId, quotas: Sequence[Quota], now: datetime
    ) -> tuple[Quota, int] | None:
        if self.is_unreachable:
            raise Unavailable("redis", "switched off by the test")
        left = [self._left(workspace_id, quota, now) for quota in quotas]
        for quota, tokens in zip(quotas, left, strict=True):
            if tokens < 1:
                return quota, math.ceil((1 - tokens) * 60_000 / quota.per_minute)
        for quota, tokens in zip(quotas, left, strict=True):
            self.buckets[workspace_id, quota.limit, quota.subject] = (tokens - 1, now)
        return None

    def _left(self, workspace_id: WorkspaceId, quota: Quota, now: datetime) -> float:
        full = float(quota.per_minute)
        tokens, at = self.buckets.get((workspace_id, quota.limit, quota.subject), (full, now))
        filled = max(0.0, (now - at).total_seconds()) * quota.per_minute / 60
        # Rounded as far as the real one counts.
        return min(full, round(tokens + filled, 6))
