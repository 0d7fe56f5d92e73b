"""Alerts on Redis: atomic changes, and which of them are due, by partition of ``rondo.conversations``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis

from rondo_common.alerts import ALERTS_KEPT_MAX, ALERTS_KEPT_S, RECORD_FIELD, AlertRecord
from rondo_common.clock import milliseconds
from rondo_common.envelope import Envelope, rfc3339
from rondo_common.errors import Fenced
from rondo_common.events import EVENT_TYPES, AlertEvent
from rondo_common.ids import AlertId, ConversationId, EventId, WorkspaceId
from rondo_common.kafka.partitioning import partition_of
from rondo_common.redis.connection import redis_errors
from rondo_common.redis.functions import FunctionCall, FunctionLibrary, read_library
from rondo_common.redis.keys import agent_alerts_key, alert_key, workspace_key
from rondo_common.topics import CONVERSATIONS
from rondo_notifier.domain.alerts import SOURCE, Alert, Course
from rondo_notifier.ports import AlertName


class RedisAlerts:
    """See :class:`rondo_notifier.ports.AlertStore`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        folder = files("rondo_notifier.adapters") / "alert_store"
        self._functions = FunctionLibrary(redis, read_library("rondo_alerts", folder, ["alerts"]))

    async def load_functions(self) -> None:
        """Put the functions on the server. Raises ``Unavailable``."""
        await self._functions.load()

    async def latest(
        self, conversations: Sequence[tuple[WorkspaceId, ConversationId]]
    ) -> list[AlertName | None]:
        """See :class:`AlertStore`."""
        if not conversations:
            return []
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for each in conversations:
                pipeline.get(_latest_key(*each))
            found: list[str | None] = await pipeline.execute()
        return [
            None if alert_id is None else AlertName(workspace_id, AlertId(alert_id))
            for (workspace_id, _), alert_id in zip(conversations, found, strict=True)
        ]

    async def load(self, names: Sequence[AlertName]) -> list[Alert | None]:
        """See :class:`AlertStore`."""
        if not names:
            return []
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for each in names:
                pipeline.hmget(alert_key(*each), [RECORD_FIELD, "course", "version", "untold"])
            found: list[list[str | None]] = await pipeline.execute()
        return [_read(name, fields) for name, fields in zip(names, found, strict=True)]

    async def put(self, alerts: Sequence[Alert]) -> list[int]:
        """See :class:`AlertStore`."""
        if not alerts:
            return []
        versions: list[int] = await self._functions.call_all([_put(each) for each in alerts])
        if not all(versions):
            raise Fenced("an alert was changed meanwhile")
        return versions

    async def remember(self, dues: Sequence[tuple[Alert, datetime | None]]) -> None:
        """See :class:`AlertStore`."""
        if not dues:
            return
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for alert, due in dues:
                key, member = _due_key(partition_of_alert(alert)), _member(alert)
                if due is None:
                    pipeline.zrem(key, member)
                else:
                    pipeline.zadd(key, {member: milliseconds(due)})
            await pipeline.execute()

    async def due(self, partition: int, now: datetime, count: int) -> list[AlertName]:
        """See :class:`AlertStore`."""
        with redis_errors():
            members: Any = await self._redis.zrangebyscore(
                _due_key(partition), "-inf", milliseconds(now), start=0, num=count
            )
        return [_name(each) for each in members]

    async def drop(self, partition: int, names: Sequence[AlertName]) -> None:
        """See :class:`AlertStore`."""
        if names:
            with redis_errors():
                await self._redis.zrem(_due_key(partition), *("/".join(each) for each in names))

    async def is_known(self, partition: int) -> bool:
        """See :class:`AlertStore`."""
        with redis_errors():
            return bool(await self._redis.exists(_known_key(partition)))

    async def note_known(self, partition: int) -> None:
        """See :class:`AlertStore`."""
        with redis_errors():
            await self._redis.set(_known_key(partition), "1")


def partition_of_alert(alert: Alert) -> int:
    """The partition of ``rondo.conversations`` that the alert's offer stands in."""
    return partition_of(CONVERSATIONS, alert.workspace_id, alert.record.conversation_id)


def _put(alert: Alert) -> FunctionCall:
    workspace_id, record = alert.workspace_id, alert.record
    return FunctionCall(
        "rondo_alert_put",
        (
            alert_key(workspace_id, record.id),
            _latest_key(workspace_id, record.conversation_id),
            agent_alerts_key(workspace_id, record.agent_id),
        ),
        (
            record.id,
            alert.version,
            record.model_dump_json(),
            alert.course.model_dump_json(),
            json.dumps([_written(each) for each in alert.untold]),
            milliseconds(record.created_at),
            ALERTS_KEPT_MAX,
            ALERTS_KEPT_S,
        ),
    )


def _read(name: AlertName, fields: Sequence[str | None]) -> Alert | None:
    record, course, version, untold = fields
    if record is None or course is None or version is None:
        return None
    return Alert(
        workspace_id=name.workspace_id,
        record=AlertRecord.model_validate_json(record),
        course=Course.model_validate_json(course),
        version=int(version),
        untold=tuple(_envelope(name.workspace_id, each) for each in json.loads(untold or "[]")),
    )


def _written(envelope: Envelope[AlertEvent]) -> dict[str, str]:
    event = envelope.event
    return {
        "id": envelope.id,
        "type": event.TYPE,
        "time": rfc3339(envelope.time),
        "event": event.model_dump_json(exclude_none=True),
    }


def _envelope(workspace_id: WorkspaceId, written: dict[str, str]) -> Envelope[AlertEvent]:
    event: Any = EVENT_TYPES[written["type"]].model_validate_json(written["event"], extra="ignore")
    time = datetime.fromisoformat(written["time"])
    return Envelope(EventId(written["id"]), SOURCE, time, workspace_id, event)


def _latest_key(workspace_id: WorkspaceId, conversation_id: ConversationId) -> str:
    return workspace_key(workspace_id, "alert_of", conversation_id)


def _due_key(partition: int) -> str:
    return f"rondo:alerts:{{{partition}}}:due"


def _known_key(partition: int) -> str:
    return f"rondo:alerts:{{{partition}}}:known"


def _member(alert: Alert) -> str:
    return f"{alert.workspace_id}/{alert.record.id}"


def _name(member: str) -> AlertName:
    workspace_id, _, alert_id = member.partition("/")
    return AlertName(WorkspaceId(workspace_id), AlertId(alert_id))
