"""The schedule of webhooks in Redis. Its rules are in ``webhook_schedule/schedule.lua``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from itertools import chain, groupby
from typing import Any, cast

from redis.asyncio import Redis

from rondo_common.clock import from_milliseconds, milliseconds
from rondo_common.ids import ConversationId, EventId, WebhookId, WorkspaceId
from rondo_common.redis.connection import redis_errors
from rondo_common.redis.functions import FunctionCall, FunctionLibrary, read_library
from rondo_common.webhooks import (
    LOG_ENTRIES_MAX,
    LOG_KEPT_S,
    REPLAY_ASKED,
    TEST_ASKED,
    DeliveryRecord,
    Reread,
    asked_key,
    endpoint_key,
    share_key,
    share_of,
    touched_key,
)
from rondo_notifier.domain.webhooks import EndpointKey, Plan
from rondo_notifier.ports import Asked, Claimed, ClaimRequest, Claims, Ended, Holding, Placement

KEPT_MS = 30 * 24 * 60 * 60 * 1000
"""How long an endpoint's keys outlive its last event; more than the longest retry."""
LOG_KEPT_MS = LOG_KEPT_S * 1000
TOUCHED_MAX = 10_000
"""How many touched endpoints are fetched at once."""
PARTS = ("state", "waiting", "due", "flying", "bodies", "records", "order", "finished", "asked")


class RedisWebhookSchedule:
    """See :class:`rondo_notifier.ports.WebhookSchedule`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        folder = files("rondo_notifier.adapters") / "webhook_schedule"
        source = read_library("rondo_webhooks", folder, ["schedule"])
        self._functions = FunctionLibrary(redis, source)

    async def load(self) -> None:
        """Put this version of the functions on the server. Raises ``Unavailable``."""
        await self._functions.load()

    async def schedule(
        self, plans: Sequence[Plan], now: datetime, *, waiting_max: int, is_replay: bool = False
    ) -> list[Placement]:
        """See :class:`WebhookSchedule`."""
        if not plans:
            return []
        limits = (milliseconds(now), waiting_max, int(is_replay), KEPT_MS)
        # An event's plans for several endpoints share its record: they go in one call.
        calls = [
            FunctionCall(
                "rondo_webhook_schedule",
                tuple(endpoint_key(*plan.endpoint) for plan in same),
                (
                    same[0].id,
                    same[0].lane,
                    same[0].body,
                    same[0].record.model_dump_json(),
                    *limits,
                    *(plan.activation for plan in same),
                ),
            )
            for _, each in groupby(plans, key=lambda plan: (plan.endpoint.workspace_id, id(plan.record)))
            for same in [list(each)]
        ]
        answers = await self._functions.call_all(calls)
        await self._touch({plan.endpoint for plan in plans})
        return [Placement(each) for answer in answers for each in answer]

    async def waiting(self, endpoint: EndpointKey) -> int:
        """See :class:`WebhookSchedule`."""
        with redis_errors():
            return int(await self._redis.zcard(endpoint_key(*endpoint, "waiting")))

    async def refuse(self, plans: Sequence[Plan], now: datetime) -> None:
        """See :class:`WebhookSchedule`."""
        limits = (milliseconds(now), LOG_ENTRIES_MAX, LOG_KEPT_MS)
        await self._functions.call_all(
            [
                FunctionCall(
                    "rondo_webhook_refuse",
                    (endpoint_key(*plan.endpoint),),
                    (plan.id, plan.record.model_dump_json(), *limits),
                )
                for plan in plans
            ]
        )

    async def take_over(self, share: int, now: datetime, reread: Reread) -> tuple[Holding, Reread | None]:
        """See :class:`WebhookSchedule`."""
        call = FunctionCall(
            "rondo_webhook_take_over", (share_key(share),), (milliseconds(now), reread.model_dump_json())
        )
        epoch, wanted = await self._functions.call(call)
        return Holding(share, int(epoch)), Reread.model_validate_json(wanted) if wanted else None

    async def knows(self, holding: Holding) -> bool:
        """See :class:`WebhookSchedule`."""
        with redis_errors():
            return bool(await self._redis.exists(share_key(holding.share, "epoch")))

    async def reread(self, share: int) -> None:
        """See :class:`WebhookSchedule`."""
        with redis_errors():
            await self._redis.delete(share_key(share, "reread"))

    async def touched(self, holding: Holding) -> list[EndpointKey]:
        """See :class:`WebhookSchedule`."""
        with redis_errors():
            popped = await cast("Any", self._redis.spop(touched_key(holding.share), TOUCHED_MAX))
        return [_endpoint_of(each) for each in popped or ()]

    async def settle_and_claim(self, request: ClaimRequest, now: datetime) -> Claims:
        """See :class:`WebhookSchedule`."""
        call = FunctionCall(
            "rondo_webhook_turn",
            (endpoint_key(*request.endpoint),),
            (
                request.holding.epoch,
                milliseconds(now),
                request.activation,
                LOG_ENTRIES_MAX,
                LOG_KEPT_MS,
                len(request.ended),
                *chain.from_iterable(map(_settling, request.ended)),
                request.count,
                *request.held,
            ),
        )
        failing_since, given_up, asked, next_due, *rest = await self._functions.call(call)
        return Claims(
            claimed=[
                Claimed(request.endpoint, lane, body, DeliveryRecord.model_validate_json(record))
                for lane, body, record in zip(rest[::3], rest[1::3], rest[2::3], strict=True)
            ],
            next_due_ms=int(float(next_due)) if next_due else None,
            asked=int(asked),
            failing_since=from_milliseconds(int(failing_since)) if failing_since else None,
            is_given_up=bool(int(given_up)),
        )

    async def give_up(self, holding: Holding, endpoint: EndpointKey, activation: EventId) -> None:
        """See :class:`WebhookSchedule`."""
        arguments = (holding.epoch, activation)
        await self._functions.call(
            FunctionCall("rondo_webhook_give_up", (endpoint_key(*endpoint),), arguments)
        )

    async def forget(self, endpoints: Sequence[EndpointKey]) -> None:
        """See :class:`WebhookSchedule`."""
        with redis_errors():
            for each in endpoints:
                await self._redis.unlink(*(endpoint_key(*each, part) for part in PARTS))

    async def erase(self, endpoints: Sequence[EndpointKey], conversation_id: ConversationId) -> None:
        """See :class:`WebhookSchedule`."""
        await self._functions.call_all(
            [
                FunctionCall("rondo_webhook_erase", (endpoint_key(*each),), (conversation_id,))
                for each in endpoints
            ]
        )

    async def asked(self, endpoint: EndpointKey) -> Asked:
        """See :class:`WebhookSchedule`."""
        with redis_errors():
            fields: dict[str, str] = await cast("Any", self._redis.hgetall(asked_key(*endpoint)))
        tests = [EventId(each.removeprefix(TEST_ASKED)) for each in fields if each.startswith(TEST_ASKED)]
        replay = fields.get(REPLAY_ASKED)
        return Asked(tests, None if replay is None else Reread.model_validate_json(replay))

    async def test_done(self, endpoint: EndpointKey, test_id: EventId) -> None:
        """See :class:`WebhookSchedule`."""
        with redis_errors():
            await cast("Any", self._redis.hdel(asked_key(*endpoint), TEST_ASKED + test_id))

    async def replay_progress(self, endpoint: EndpointKey, reread: Reread | None) -> None:
        """See :class:`WebhookSchedule`."""
        key = asked_key(*endpoint)
        with redis_errors():
            if reread is None:
                await cast("Any", self._redis.hdel(key, REPLAY_ASKED))
            else:
                await cast("Any", self._redis.hset(key, REPLAY_ASKED, reread.model_dump_json()))

    async def _touch(self, endpoints: set[EndpointKey]) -> None:
        """Let whoever has the endpoints' shares hear that there is something new."""
        by_share: defaultdict[int, list[str]] = defaultdict(list)
        for each in endpoints:
            by_share[share_of(*each)].append("/".join(each))
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for share, names in by_share.items():
                pipeline.sadd(touched_key(share), *names)
                # Not `publish`, which redis-py keeps out of the pipelines of a cluster.
                pipeline.execute_command("PUBLISH", touched_key(share), "")
            await pipeline.execute()


def _settling(ended: Ended) -> tuple[str, str, str, str | int, int]:
    """The arguments that say how an attempt ended."""
    settlement = ended.settlement
    return (
        ended.claimed.lane,
        settlement.record.id,
        settlement.record.model_dump_json(),
        "" if settlement.due_at is None else milliseconds(settlement.due_at),
        int(settlement.is_success),
    )


def _endpoint_of(name: str) -> EndpointKey:
    workspace_id, webhook_id = name.split("/")
    return EndpointKey(WorkspaceId(workspace_id), WebhookId(webhook_id))
