"""The router's use case: take what was asked, decide it, tell the log, then show it.

The order is the promise: *decided, then published, then shown*. Nobody sees, answers or builds on what
is not in the log yet; a crash in between is repaired by doing the same again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AcceptChat,
    ChatRequested,
    ConnectAgent,
    DeclineChat,
    EndChat,
    Event,
    PlanRoute,
    TakeChat,
    TransferChat,
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
    MarkPresent,
    PreviewRoute,
    RequestChat,
    TakeFromQueue,
    TransferConversation,
    WithdrawRequest,
)
from rondo_router.domain.outcome import events_of, showing_of
from rondo_router.domain.route_plan import RoutePlan, plan_route, plan_transfer
from rondo_router.domain.seating import EMPTY
from rondo_router.ports import (
    Announcer,
    DirectoryPosition,
    DirectoryView,
    Epoch,
    Switchboard,
)

Translation = Callable[[Any, WorkspaceDirectory], Action]
"""From an event (of the type it is listed under) and what its workspace has provisioned to an action."""

Told = tuple[WorkspaceId, Decision, RoutePlan | None]
"""A decision, with the plan of a request that is only previewed."""


def request_chat(event: ChatRequested, directory: WorkspaceDirectory) -> Action:
    """A visitor asks: plan the route before any counter is touched."""
    return RequestChat(event.conversation_id, plan_route(event.request, directory), event.request)


def accept_chat(event: AcceptChat, _: WorkspaceDirectory) -> Action:
    """An agent takes the offer."""
    return AcceptOffer(event.conversation_id, event.agent_id)


def decline_chat(event: DeclineChat, _: WorkspaceDirectory) -> Action:
    """An agent refuses the offer."""
    return DeclineOffer(event.conversation_id, event.agent_id)


def take_chat(event: TakeChat, _: WorkspaceDirectory) -> Action:
    """An agent takes a chat out of the queue."""
    return TakeFromQueue(event.conversation_id, event.agent_id)


def withdraw_chat(event: WithdrawChat, _: WorkspaceDirectory) -> Action:
    """The visitor no longer waits."""
    return WithdrawRequest(event.conversation_id, event.by)


def transfer_chat(event: TransferChat, directory: WorkspaceDirectory) -> Action:
    """An agent hands the conversation over."""
    plan = plan_transfer(directory, event.agent_id, event.team_id)
    return TransferConversation(event.conversation_id, event.by, plan)


def end_chat(event: EndChat, _: WorkspaceDirectory) -> Action:
    """One side ends the talk."""
    return EndConversation(event.conversation_id, event.by)


def connect_agent(event: ConnectAgent, _: WorkspaceDirectory) -> Action:
    """An agent opened an inbox."""
    return MarkPresent(event.agent_id)


def plan_only(event: PlanRoute, directory: WorkspaceDirectory) -> Action:
    """Somebody wants to know what would become of a request."""
    return PreviewRoute(plan_route(event.request, directory), event.request)


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
        each of them demands."""
        instructions: dict[str, Instruction] = {}
        for envelope in envelopes:
            event = envelope.event
            translation = self._translations.get(type(event))
            if translation is None or envelope.id in instructions:
                continue
            if (offset := getattr(event, "directory_offset", 0)) > 0:
                await self._position.reached(envelope.workspace_id, offset)
            found = self._directory.find(envelope.workspace_id) or EMPTY
            instructions[envelope.id] = Instruction(
                workspace_id=envelope.workspace_id,
                cause=envelope.id,
                action=translation(event, found),
                is_command=not isinstance(event, ChatRequested | ConnectAgent),
            )
        return list(instructions.values())

    async def carry_out(
        self, epoch: Epoch, instructions: Sequence[Instruction], now_ms: int
    ) -> dict[WorkspaceId, int | None]:
        """Decide, publish, show. When the next timer is due, in ms, of each workspace where anything
        was shown.

        Raises:
            Retryable: nothing is lost; call again with the same instructions.
        """
        return await self.tell(epoch, await self.decide(epoch, instructions, now_ms))

    async def decide(self, epoch: Epoch, instructions: Sequence[Instruction], now_ms: int) -> list[Told]:
        """The first half of :meth:`carry_out`: what then is to be told."""
        decisions = await self._switchboard.decide(epoch, instructions, now_ms)
        return [
            (asked.workspace_id, decision, _previewed(asked))
            for asked, decision in zip(instructions, decisions, strict=True)
            if decision.steps or decision.is_command or decision.timer is not None
        ]

    async def tell_untold(self, epoch: Epoch, workspace_ids: Sequence[WorkspaceId]) -> None:
        """Publish and show what was decided, here or by an earlier owner, and was not told to the end.

        Raises:
            Retryable: nothing is lost; call again.
        """
        untold = await self._switchboard.untold(workspace_ids)
        await self.tell(epoch, [(workspace_id, decision, None) for workspace_id, decision in untold])

    async def tell(self, epoch: Epoch, told: Sequence[Told]) -> dict[WorkspaceId, int | None]:
        """The second half of :meth:`carry_out`: let the log have what is new, then show it."""
        events = [
            [] if decision.repeated else events_of(workspace_id, decision)
            for workspace_id, decision, _ in told
        ]
        news = [envelope for each in events for envelope in each]
        offsets = iter(await self._announcer.announce(news) if news else [])
        showings = [
            showing_of(workspace_id, decision, [next(offsets) for _ in each], plan)
            for (workspace_id, decision, plan), each in zip(told, events, strict=True)
        ]
        return await self._switchboard.show(epoch, showings) if showings else {}


def _previewed(instruction: Instruction) -> RoutePlan | None:
    action = instruction.action
    return action.plan if isinstance(action, PreviewRoute) else None
