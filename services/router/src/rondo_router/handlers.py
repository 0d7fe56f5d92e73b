"""The router's use case: take what was asked, decide it, tell the log, then show it.

The order is the promise: *decided, then published, then shown*. Nobody sees, answers or builds on what
is not in the log yet; a crash in between is repaired by doing the same again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rondo_common.directory.entries import WorkspaceSettings
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AcceptChat,
    ChatRequested,
    DeclineChat,
    EndChat,
    Event,
    WithdrawChat,
)
from rondo_common.ids import WorkspaceId
from rondo_router.domain.decision import Decision
from rondo_router.domain.instruction import (
    AcceptOffer,
    Action,
    DeclineOffer,
    EndConversation,
    Instruction,
    RequestChat,
    WithdrawRequest,
)
from rondo_router.domain.outcome import events_of, showing_of
from rondo_router.domain.route_plan import plan_route
from rondo_router.ports import Announcer, DirectoryPosition, DirectoryView, Epoch, Switchboard

NO_LIVE_CHAT = WorkspaceSettings(live_chat_enabled=False)
"""How a workspace that no longer exists treats a request that was under way."""

Translation = Callable[[Any, WorkspaceSettings], Action]
"""From an event (of the type it is listed under) and the workspace's settings to an action."""


def request_chat(event: ChatRequested, settings: WorkspaceSettings) -> Action:
    """A visitor asks: plan the route before any counter is touched."""
    return RequestChat(plan_route(event.request, settings), event.request)


def accept_chat(event: AcceptChat, _: WorkspaceSettings) -> Action:
    """An agent takes the offer."""
    return AcceptOffer(event.agent_id)


def decline_chat(event: DeclineChat, _: WorkspaceSettings) -> Action:
    """An agent refuses the offer."""
    return DeclineOffer(event.agent_id)


def withdraw_chat(event: WithdrawChat, _: WorkspaceSettings) -> Action:
    """The visitor no longer waits."""
    return WithdrawRequest(event.by)


def end_chat(event: EndChat, _: WorkspaceSettings) -> Action:
    """One side ends the talk."""
    return EndConversation(event.by)


class Router:
    """Decides a partition's facts, in order. One caller at a time per partition."""

    def __init__(
        self,
        translations: Mapping[type[Event], Translation],
        position: DirectoryPosition,
        directory: DirectoryView,
        switchboard: Switchboard,
        announcer: Announcer,
    ) -> None:
        self._translations = translations
        self._position = position
        self._directory = directory
        self._switchboard = switchboard
        self._announcer = announcer

    async def read(self, envelopes: Sequence[Envelope[Event]]) -> list[Instruction]:
        """What the records ask, in order, each cause once, with a view of the directory as new as
        each request demands."""
        instructions: dict[str, Instruction] = {}
        for envelope in envelopes:
            event = envelope.event
            translation = self._translations.get(type(event))
            if translation is None or envelope.id in instructions:
                continue
            if isinstance(event, ChatRequested):
                await self._position.reached(envelope.workspace_id, event.directory_offset)
            settings = self._directory.settings(envelope.workspace_id) or NO_LIVE_CHAT
            instructions[envelope.id] = Instruction(
                workspace_id=envelope.workspace_id,
                conversation_id=event.conversation_id,  # type: ignore[attr-defined]  # all translated have it
                cause=envelope.id,
                action=translation(event, settings),
            )
        return list(instructions.values())

    async def carry_out(
        self, epoch: Epoch, instructions: Sequence[Instruction], now_ms: int
    ) -> dict[WorkspaceId, int | None]:
        """Decide, publish, show. When the next timer of each workspace concerned is due, in ms.

        Raises:
            Retryable: nothing is lost; call again with the same instructions.
        """
        decisions = await self._switchboard.decide(epoch, instructions, now_ms)
        decided = list(zip(instructions, decisions, strict=True))
        offsets = await self._publish(decided)
        showings = [showing_of(*each, offset) for each, offset in zip(decided, offsets, strict=True)]
        return await self._switchboard.show(epoch, showings)

    async def _publish(self, decided: Sequence[tuple[Instruction, Decision]]) -> list[int | None]:
        """Tell the log what is new; where each decision's last event stands, None if it has none."""
        news = [[] if decision.repeated else events_of(asked, decision) for asked, decision in decided]
        told = [envelope for events in news for envelope in events]
        offsets = iter(await self._announcer.announce(told) if told else [])
        return [max((next(offsets) for _ in events), default=None) for events in news]
