"""The switchboard on Redis Functions. The rules are in the ``.lua`` files of ``switchboard/``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis

from rondo_common.ids import WorkspaceId
from rondo_common.redis.connection import redis_errors
from rondo_common.redis.functions import FunctionCall, FunctionLibrary, read_library
from rondo_common.redis.keys import workspace_key
from rondo_router.adapters.switchboard_calls import (
    decide_call,
    read_decision,
    restore_calls,
    show_call,
    workspace_call,
)
from rondo_router.domain.decision import Decision
from rondo_router.domain.instruction import Instruction
from rondo_router.domain.memory import WorkspaceMemory
from rondo_router.domain.outcome import Showing
from rondo_router.domain.route_plan import ALL_AGENTS
from rondo_router.ports import Epoch, Seated

LIBRARY = "rondo_switchboard"
PARTS = (
    "fencing",
    "rotation",
    "sessions",
    "capacity",
    "offers",
    "queue",
    "transfers",
    "liveness",
    "decisions",
    "agents",
    "endings",
    "showing",
    "restoring",
)
DUE_TIMERS_MAX = 500
CALLS_TOGETHER_MAX = 2_000
"""How many calls travel in one pipeline: their answers are held in memory on both sides."""


class RedisSwitchboard:
    """See :class:`rondo_router.ports.Switchboard`. Calls of one batch travel in one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        folder = files("rondo_router.adapters") / "switchboard"
        self._functions = FunctionLibrary(redis, read_library(LIBRARY, folder, PARTS))

    async def load(self) -> None:
        """Put this version of the functions on the server. Raises ``Unavailable``."""
        await self._functions.load()

    async def claim(self, partition: int, now_ms: int) -> Epoch:
        """See :class:`Switchboard`."""
        call = FunctionCall("rondo_claim_partition", (_epoch_key(partition),), (now_ms,))
        return Epoch(int(await self._functions.call(call)))

    async def adopt(self, epoch: Epoch, partition: int, workspace_ids: Sequence[WorkspaceId]) -> None:
        """See :class:`Switchboard`."""
        if not workspace_ids:
            return
        hold = FunctionCall("rondo_hold_partition", (_epoch_key(partition),), (epoch,))
        adopt = [workspace_call("rondo_adopt_workspace", each, epoch) for each in workspace_ids]
        await self._call_all([hold, *adopt])
        with redis_errors():
            await self._redis.sadd(_adopted_key(partition), *workspace_ids)

    async def lost(self, partition: int, workspace_ids: Sequence[WorkspaceId]) -> list[WorkspaceId]:
        """See :class:`Switchboard`.

        A server that knows the partition adopted the workspace, or does not know the partition at all,
        but not the workspace, has forgotten it. On a cluster the partition's keys may be lost alone, for
        they lie elsewhere: then what is known is noted as adopted again, or its own loss would go unseen.
        """
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.smembers(_adopted_key(partition))
            for each in workspace_ids:
                pipeline.exists(workspace_key(each, "epoch"))
            adopted, *known = await pipeline.execute()
            there = {each for each, is_known in zip(workspace_ids, known, strict=True) if is_known}
            if unnoted := sorted(there - set(adopted)):
                await self._redis.sadd(_adopted_key(partition), *unnoted)
        return [each for each in workspace_ids if each not in there and (not adopted or each in adopted)]

    async def restore(
        self, epoch: Epoch, workspace_id: WorkspaceId, memory: WorkspaceMemory, now_ms: int
    ) -> None:
        """See :class:`Switchboard`."""
        await self._call_all(restore_calls(epoch, workspace_id, memory, now_ms))

    async def discard(self, partition: int, workspace_id: WorkspaceId) -> None:
        """See :class:`Switchboard`."""
        with redis_errors():
            await self._redis.srem(_adopted_key(partition), workspace_id)
            async for key in self._redis.scan_iter(workspace_key(workspace_id) + ":*", count=1000):
                await self._redis.unlink(key)

    async def seated(self, workspace_id: WorkspaceId) -> Seated:
        """See :class:`Switchboard`."""
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.smembers(workspace_key(workspace_id, "agents"))
            pipeline.smembers(workspace_key(workspace_id, "pools"))
            agents, pools = await pipeline.execute()
        return Seated(frozenset(agents), frozenset(pools) - {ALL_AGENTS})

    async def decide(
        self, epoch: Epoch, instructions: Sequence[Instruction], now_ms: int
    ) -> list[Decision]:
        """See :class:`Switchboard`."""
        calls = [decide_call(epoch, instruction, now_ms) for instruction in instructions]
        return [read_decision(answer) for answer in await self._call_all(calls)]

    async def untold(self, workspace_ids: Sequence[WorkspaceId]) -> list[tuple[WorkspaceId, Decision]]:
        """See :class:`Switchboard`."""
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for each in workspace_ids:
                pipeline.lrange(workspace_key(each, "untold"), 0, -1)
            found = zip(workspace_ids, await pipeline.execute(), strict=True)
        calls = [
            (workspace_id, FunctionCall("rondo_recall_decision", (workspace_key(workspace_id),), (cause,)))
            for workspace_id, causes in found
            for cause in causes
        ]
        answers = await self._call_all([call for _, call in calls])
        return [
            (workspace_id, read_decision(answer))
            for (workspace_id, _), answer in zip(calls, answers, strict=True)
            if answer
        ]

    async def show(self, epoch: Epoch, showings: Sequence[Showing]) -> dict[WorkspaceId, int | None]:
        """See :class:`Switchboard`."""
        nexts = await self._call_all([show_call(epoch, each) for each in showings])
        return {
            showing.workspace_id: int(due) or None for showing, due in zip(showings, nexts, strict=True)
        }

    async def due_timers(
        self, workspace_ids: Sequence[WorkspaceId], now_ms: int
    ) -> list[tuple[WorkspaceId, str]]:
        """See :class:`Switchboard`."""
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for each in workspace_ids:
                pipeline.zrange(_timers(each), 0, now_ms, byscore=True, offset=0, num=DUE_TIMERS_MAX)
            names = await pipeline.execute()
        return [
            (workspace_id, name)
            for workspace_id, found in zip(workspace_ids, names, strict=True)
            for name in found
        ]

    async def next_timers(self, workspace_ids: Sequence[WorkspaceId]) -> dict[WorkspaceId, int | None]:
        """See :class:`Switchboard`."""
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for each in workspace_ids:
                pipeline.zrange(_timers(each), 0, 0, withscores=True)
            firsts = await pipeline.execute()
        return {
            workspace_id: int(first[0][1]) if first else None
            for workspace_id, first in zip(workspace_ids, firsts, strict=True)
        }

    async def _call_all(self, calls: Sequence[FunctionCall]) -> list[Any]:
        answers: list[Any] = []
        for start in range(0, len(calls), CALLS_TOGETHER_MAX):
            answers += await self._functions.call_all(calls[start : start + CALLS_TOGETHER_MAX])
        return answers


def _timers(workspace_id: WorkspaceId) -> str:
    return workspace_key(workspace_id, "timers")


def _epoch_key(partition: int) -> str:
    return f"rondo:epoch:{{{partition}}}"


def _adopted_key(partition: int) -> str:
    return f"rondo:adopted:{{{partition}}}"
