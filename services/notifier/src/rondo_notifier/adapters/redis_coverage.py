"""Coverage on Redis: moments that were seen, who waits, and the alarms that are raised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from redis.asyncio import Redis

from rondo_common.alerts import AlarmKind
from rondo_common.clock import from_milliseconds, milliseconds
from rondo_common.ids import AgentId, ConversationId, WorkspaceId
from rondo_common.redis.connection import redis_errors
from rondo_common.redis.keys import presence_key, queue_key, workspace_key
from rondo_notifier.domain.coverage import Sightings
from rondo_notifier.ports import RaisedAlarm

KEPT_S = 7 * 24 * 60 * 60
LOOKED_THROUGH_MAX = 1000
"""So many who wait no more are cleared away at a time."""


class RedisCoverage:
    """See :class:`rondo_notifier.ports.CoverageStore`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def note_moments(self, moments: Sequence[tuple[WorkspaceId, str, datetime]]) -> None:
        """See :class:`CoverageStore`."""
        latest = {(workspace_id, name): at for workspace_id, name, at in moments}
        if not latest:
            return
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for (workspace_id, name), at in latest.items():
                key = _sightings_key(workspace_id)
                pipeline.hset(key, name, str(milliseconds(at)))
                pipeline.expire(key, KEPT_S)
            await pipeline.execute()

    async def note_waiting(self, waiting: Sequence[tuple[WorkspaceId, ConversationId, datetime]]) -> None:
        """See :class:`CoverageStore`."""
        if not waiting:
            return
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for workspace_id, conversation_id, at in waiting:
                key = _waiting_key(workspace_id)
                pipeline.zadd(key, {conversation_id: milliseconds(at)})
                pipeline.expire(key, KEPT_S)
            await pipeline.execute()

    async def sightings(self, workspace_id: WorkspaceId) -> Sightings:
        """See :class:`CoverageStore`."""
        with redis_errors():
            fields: Any = await self._redis.hgetall(_sightings_key(workspace_id))
        known = {name: from_milliseconds(int(at)) for name, at in fields.items() if at}
        return Sightings.model_validate(known, extra="ignore")

    async def note_staffing(self, workspace_id: WorkspaceId, sightings: Sightings) -> None:
        """See :class:`CoverageStore`."""
        moments = {
            "unreachable_since": sightings.unreachable_since,
            "reachable_since": sightings.reachable_since,
        }
        fields: Any = {name: "" if at is None else str(milliseconds(at)) for name, at in moments.items()}
        with redis_errors():
            await self._redis.hset(_sightings_key(workspace_id), mapping=fields)
            await self._redis.expire(_sightings_key(workspace_id), KEPT_S)

    async def present(self, workspace_id: WorkspaceId, now: datetime) -> set[AgentId]:
        """See :class:`CoverageStore`."""
        with redis_errors():
            found: Any = await self._redis.zrangebyscore(
                presence_key(workspace_id), f"({milliseconds(now)}", "+inf"
            )
        return {AgentId(each) for each in found}

    async def oldest_waiting(self, workspace_id: WorkspaceId) -> datetime | None:
        """See :class:`CoverageStore`."""
        key = _waiting_key(workspace_id)
        with redis_errors():
            for _ in range(LOOKED_THROUGH_MAX):
                first: Any = await self._redis.zrange(key, 0, 0, withscores=True)
                if not first:
                    return None
                conversation_id, since_ms = first[0]
                if await self._redis.zscore(queue_key(workspace_id), conversation_id) is not None:
                    return from_milliseconds(int(since_ms))
                await self._redis.zrem(key, conversation_id)
        return None

    async def alarms(self, workspace_id: WorkspaceId) -> dict[AlarmKind, RaisedAlarm]:
        """See :class:`CoverageStore`."""
        with redis_errors():
            fields: Any = await self._redis.hgetall(_alarms_key(workspace_id))
        found = [RaisedAlarm.model_validate_json(text, extra="ignore") for text in fields.values()]
        return {each.kind: each for each in found}

    async def keep_alarm(self, workspace_id: WorkspaceId, alarm: RaisedAlarm) -> RaisedAlarm:
        """See :class:`CoverageStore`."""
        key = _alarms_key(workspace_id)
        with redis_errors():
            if not await self._redis.hsetnx(key, alarm.kind, alarm.model_dump_json()):
                text = await self._redis.hget(key, alarm.kind)
                kept = None if text is None else RaisedAlarm.model_validate_json(text, extra="ignore")
                if kept is not None and kept.id != alarm.id:
                    return kept
                await self._redis.hset(key, alarm.kind, alarm.model_dump_json())
        return alarm

    async def drop_alarm(self, workspace_id: WorkspaceId, alarm: RaisedAlarm) -> None:
        """See :class:`CoverageStore`."""
        with redis_errors():
            await self._redis.hdel(_alarms_key(workspace_id), alarm.kind)


def _sightings_key(workspace_id: WorkspaceId) -> str:
    return workspace_key(workspace_id, "coverage")


def _waiting_key(workspace_id: WorkspaceId) -> str:
    return workspace_key(workspace_id, "coverage", "waiting")


def _alarms_key(workspace_id: WorkspaceId) -> str:
    return workspace_key(workspace_id, "alarms")
