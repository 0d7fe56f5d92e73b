"""What the notifier keeps of webhooks in Redis, read; and what it is asked to do, written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from redis.asyncio import Redis

from rondo_common.clock import from_milliseconds
from rondo_common.ids import EventId, WebhookId, WorkspaceId
from rondo_common.redis.connection import redis_errors
from rondo_common.webhooks import (
    REPLAY_ASKED,
    TEST_ASKED,
    DeliveryRecord,
    DeliveryState,
    Reread,
    asked_key,
    order_key,
    records_key,
    share_of,
    state_key,
    touched_key,
)
from rondo_gateway.ports import EndpointState

CHUNK = 100
"""How many records are looked at in one round trip."""


class RedisWebhookDesk:
    """See :class:`rondo_gateway.ports.WebhookDesk`."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    async def states(
        self, workspace_id: WorkspaceId, webhook_ids: Sequence[WebhookId]
    ) -> list[EndpointState]:
        """See :class:`WebhookDesk`."""
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for each in webhook_ids:
                pipeline.hmget(state_key(workspace_id, each), "failing_since", "given_up")
            answers = await pipeline.execute()
        return [_state_of(*each) for each in answers]

    async def deliveries(
        self,
        workspace_id: WorkspaceId,
        webhook_id: WebhookId,
        *,
        state: DeliveryState | None,
        limit: int,
        before: int | None,
    ) -> tuple[list[DeliveryRecord], int | None]:
        """See :class:`WebhookDesk`."""
        found: list[tuple[int, DeliveryRecord]] = []
        below = before
        while len(found) <= limit:
            chunk, below = await self._chunk(workspace_id, webhook_id, below)
            found += [each for each in chunk if state is None or each[1].state is state]
            if below is None:
                break
        page = found[:limit]
        following = page[-1][0] if len(found) > limit else None
        return [record for _, record in page], following

    async def ask_for_test(
        self, workspace_id: WorkspaceId, webhook_id: WebhookId, test_id: EventId
    ) -> None:
        """See :class:`WebhookDesk`."""
        await self._ask(workspace_id, webhook_id, TEST_ASKED + test_id, "")

    async def ask_for_replay(
        self, workspace_id: WorkspaceId, webhook_id: WebhookId, reread: Reread
    ) -> bool:
        """See :class:`WebhookDesk`."""
        return await self._ask(workspace_id, webhook_id, REPLAY_ASKED, reread.model_dump_json())

    async def _chunk(
        self, workspace_id: WorkspaceId, webhook_id: WebhookId, below: int | None
    ) -> tuple[list[tuple[int, DeliveryRecord]], int | None]:
        """The next records below a number, newest first, and the number to go on below, None at the end.

        Those that the log let go meanwhile are left out.
        """
        with redis_errors():
            entries = await self._redis.zrevrangebyscore(
                order_key(workspace_id, webhook_id),
                "+inf" if below is None else f"({below}",
                "-inf",
                start=0,
                num=CHUNK,
                withscores=True,
            )
            if not entries:
                return [], None
            ids = [each for each, _ in entries]
            records = await self._redis.hmget(records_key(workspace_id, webhook_id), ids)
        chunk = [
            (int(number), DeliveryRecord.model_validate_json(record))
            for (_, number), record in zip(entries, records, strict=True)
            if record is not None
        ]
        return chunk, int(entries[-1][1]) if len(entries) == CHUNK else None

    async def _ask(self, workspace_id: WorkspaceId, webhook_id: WebhookId, field: str, value: str) -> bool:
        """Write it down, then let the notifier hear of it; also when it stands there already, because it
        may not have heard then."""
        with redis_errors():
            key = asked_key(workspace_id, webhook_id)
            is_new = bool(await cast("Any", self._redis.hsetnx(key, field, value)))
            touched = touched_key(share_of(workspace_id, webhook_id))
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.sadd(touched, f"{workspace_id}/{webhook_id}")
            # Not `publish`, which redis-py keeps out of the pipelines of a cluster.
            pipeline.execute_command("PUBLISH", touched, "")
            await pipeline.execute()
        return is_new


def _state_of(failing_since: str | None, given_up: str | None) -> EndpointState:
    return EndpointState(
        None if failing_since is None else from_milliseconds(int(failing_since)),
        None if given_up is None else EventId(given_up),
    )
