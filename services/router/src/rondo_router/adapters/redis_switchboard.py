"""The switchboard on Redis Functions. The rules are in the ``.lua`` files of ``switchboard/``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis

from rondo_common.answers import ANSWER_KEPT_S
from rondo_common.ids import AgentId, WorkspaceId
from rondo_common.redis.connection import redis_errors
from rondo_common.redis.functions import FunctionCall, FunctionLibrary, read_library
from rondo_common.redis.keys import workspace_key
from rondo_router.domain.decision import Decision
from rondo_router.domain.instruction import (
    AcceptOffer,
    Action,
    DeclineOffer,
    EndConversation,
    Instruction,
    RequestChat,
    TimeOutOffer,
    WithdrawRequest,
    offer_timer,
)
from rondo_router.domain.outcome import Showing
from rondo_router.domain.route_plan import ALL_AGENTS
from rondo_router.ports import AgentSeat, Epoch

LIBRARY = "rondo_switchboard"
PARTS = ("fencing", "rotation", "capacity", "offers", "decisions", "showing")
VIEW_KEPT_S = 7 * 24 * 60 * 60
DUE_TIMERS_MAX = 500


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
        key = f"rondo:epoch:{{{partition}}}"
        call = FunctionCall("rondo_claim_partition", (key,), (now_ms,))
        return Epoch(int(await self._functions.call(call)))

    async def seat_agents(
        self, epoch: Epoch, workspace_id: WorkspaceId, seats: Sequence[AgentSeat]
    ) -> None:
        """See :class:`Switchboard`."""
        calls = [
            _call(
                "rondo_put_agent",
                workspace_id,
                epoch,
                seat.agent.id,
                seat.version,
                seat.capacity,
                int(seat.agent.live_chat),
                seat.agent.card().model_dump_json(exclude_none=True),
            )
            for seat in seats
        ]
        if calls:
            await self._functions.call_all(calls)

    async def unseat_agents(
        self, epoch: Epoch, workspace_id: WorkspaceId, agent_ids: Sequence[AgentId]
    ) -> None:
        """See :class:`Switchboard`."""
        calls = [_call("rondo_remove_agent", workspace_id, epoch, each) for each in agent_ids]
        if calls:
            await self._functions.call_all(calls)

    async def seated(self, workspace_id: WorkspaceId) -> set[AgentId]:
        """See :class:`Switchboard`."""
        with redis_errors():
            turns = workspace_key(workspace_id, "pool", ALL_AGENTS, "turns")
            return {AgentId(str(each)) for each in await self._redis.hkeys(turns)}

    async def decide(
        self, epoch: Epoch, instructions: Sequence[Instruction], now_ms: int
    ) -> list[Decision]:
        """See :class:`Switchboard`."""
        answers = await self._functions.call_all(
            [_decide(epoch, instruction, now_ms) for instruction in instructions]
        )
        return [_read_decision(*answer) for answer in answers]

    async def show(self, epoch: Epoch, showings: Sequence[Showing]) -> dict[WorkspaceId, int | None]:
        """See :class:`Switchboard`."""
        calls = [
            _call("rondo_show", each.instruction.workspace_id, epoch, json.dumps(_show(each)))
            for each in showings
        ]
        nexts = await self._functions.call_all(calls)
        return {
            showing.instruction.workspace_id: int(due) or None
            for showing, due in zip(showings, nexts, strict=True)
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


def _timers(workspace_id: WorkspaceId) -> str:
    return workspace_key(workspace_id, "timers")


def _call(function: str, workspace_id: WorkspaceId, *arguments: str | int | float) -> FunctionCall:
    return FunctionCall(function, (workspace_key(workspace_id),), arguments)


def _decide(epoch: Epoch, instruction: Instruction, now_ms: int) -> FunctionCall:
    function, own = _own_arguments(instruction.action)
    return _call(
        function,
        instruction.workspace_id,
        epoch,
        instruction.cause,
        now_ms,
        instruction.conversation_id,
        *own,
    )


def _own_arguments(action: Action) -> tuple[str, tuple[str | int, ...]]:
    """The function of an action, and what it takes besides what all of them take."""
    match action:
        case RequestChat(plan, request):
            plan_json = plan.model_dump_json(exclude_none=True)
            return "rondo_request_chat", (plan_json, request.model_dump_json(exclude_none=True))
        case AcceptOffer(agent_id):
            return "rondo_accept_chat", (agent_id,)
        case DeclineOffer(agent_id):
            return "rondo_decline_chat", (agent_id,)
        case WithdrawRequest(by):
            return "rondo_withdraw_chat", (by.model_dump_json(),)
        case EndConversation(by):
            return "rondo_end_chat", (by.model_dump_json(),)
        case TimeOutOffer(attempt):
            return "rondo_time_out_offer", (attempt,)


def _read_decision(decision: str, request: str) -> Decision:
    fields: dict[str, Any] = json.loads(decision)
    if request:
        fields["request"] = json.loads(request)
    return Decision.model_validate(fields)


def _show(showing: Showing) -> dict[str, Any]:
    """The argument of ``rondo_show``; absent is what does not change."""
    instruction, view = showing.instruction, showing.view
    parts: dict[str, Any] = {
        "conversation_id": instruction.conversation_id,
        "version": showing.version,
        "rings": list(showing.rings),
        "released": list(showing.released),
    }
    if view is not None:
        parts["view"] = view.to_hash()
        parts["log_offset"] = showing.log_offset
        if view.status.is_final:
            parts["view_kept_s"] = VIEW_KEPT_S
        if view.offer is not None and showing.due is not None:
            name = offer_timer(view.id, view.offer.attempt)
            parts["offer_timer"] = {"name": name, "due": showing.due}
    if showing.done_timer is not None:
        parts["done_timer"] = showing.done_timer
    if showing.answer is not None:
        text = showing.answer.model_dump_json(exclude_none=True)
        parts["answer"] = {"id": instruction.cause, "text": text, "kept_s": ANSWER_KEPT_S}
    return parts
