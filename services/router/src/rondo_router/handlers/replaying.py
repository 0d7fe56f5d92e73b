"""Replaying: recorded chats run again, on the real switchboard, in a workspace made for it.

Time is that of the record; nobody waits. The workspace begins empty and idle: with what came before the
range, and with toggles and presence of that time, it would be another replay.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rondo_common.clock import Clock, from_milliseconds, milliseconds
from rondo_common.conversation import TAKEN, FallbackReason, Party
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import AgentId, ConversationId, EventId, WorkspaceId
from rondo_router.domain import decision as decided
from rondo_router.domain.changed_directory import with_changes
from rondo_router.domain.decision import Decision
from rondo_router.domain.instruction import (
    AcceptOffer,
    Action,
    DeclineOffer,
    EndConversation,
    Instruction,
    RequestChat,
    TakeFromQueue,
    WithdrawRequest,
    instruction_of_timer,
    read_timer,
)
from rondo_router.domain.outcome import showing_of
from rondo_router.domain.replay import TALK_S_DEFAULT, Outcome, Story, stories_of
from rondo_router.domain.route_plan import plan_route
from rondo_router.domain.seat import seat_of
from rondo_router.domain.seating import EMPTY, take_over
from rondo_router.ports import DirectoryView, Epoch, Recorder, Switchboard

VISITOR = Party(type="visitor", id="replayed")


SCRATCH_PARTITION = -1
"""The partition of workspaces that are nobody's: no topic has it."""

Changes = Mapping[str, Mapping[str, Any]]
"""See :func:`rondo_router.domain.changed_directory.with_changes`."""


class UnknownWorkspace(LookupError):
    """There is no such workspace. List them, and name one that is there."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One chat: what came of it, and what would have under the present directory, and a changed one."""

    story: Story
    present: Outcome
    changed: Outcome | None

    @property
    def differs(self) -> bool:
        """Whether the change makes a difference; without one, whether today differs from the record."""
        if self.changed is None:
            return self.present != self.story.outcome
        return self.changed != self.present


class Replaying:
    """Compares how recorded chats went with how they would have gone."""

    def __init__(
        self,
        directory: DirectoryView,
        recorder: Recorder,
        switchboard: Switchboard,
        new_workspace_id: Callable[[], WorkspaceId],
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._recorder = recorder
        self._switchboard = switchboard
        self._new_workspace_id = new_workspace_id
        self._clock = clock

    async def compare(
        self,
        partition: int,
        workspace_id: WorkspaceId,
        span: tuple[datetime, datetime],
        changes: Changes | None,
    ) -> list[Compared]:
        """The chats that were asked for in ``span`` (from, until), in that order. ``partition`` is the
        workspace's.

        Raises:
            UnknownWorkspace: the directory has no such workspace.
            BadChanges: the changed directory would not be one.
            Unavailable: the log or the switchboard is out of reach.
        """
        present = self._directory.find(workspace_id)
        if present is None:
            raise UnknownWorkspace(workspace_id)
        changed = None if changes is None else with_changes(present, changes)
        since, until = span
        records = [record async for _, record in self._recorder.recall(partition, [workspace_id], since)]
        stories = stories_of(records, since, until)
        today = await self._run(stories, present)
        then = None if changed is None else await self._run(stories, changed)
        return [
            Compared(
                story,
                today[story.conversation_id],
                None if then is None else then[story.conversation_id],
            )
            for story in stories
        ]

    async def _run(
        self, stories: Sequence[Story], directory: WorkspaceDirectory
    ) -> dict[ConversationId, Outcome]:
        workspace_id = self._new_workspace_id()
        epoch = await self._switchboard.claim(SCRATCH_PARTITION, milliseconds(self._clock()))
        await self._switchboard.adopt(epoch, SCRATCH_PARTITION, [workspace_id])
        try:
            return await Replay(self._switchboard, epoch, workspace_id, directory).run(stories)
        finally:
            await self._switchboard.discard(SCRATCH_PARTITION, workspace_id)


@dataclass(slots=True)
class _Result:
    offered: list[AgentId] = field(default_factory=list)
    accepted_by: AgentId | None = None
    fell_back: FallbackReason | None = None


class Replay:
    """One run of stories under one directory, in the workspace ``workspace_id``, which is nobody's."""

    def __init__(
        self,
        switchboard: Switchboard,
        epoch: Epoch,
        workspace_id: WorkspaceId,
        directory: WorkspaceDirectory,
    ) -> None:
        self._switchboard = switchboard
        self._epoch = epoch
        self._workspace_id = workspace_id
        self._directory = _without_hands(directory)
        self._agenda: list[tuple[int, int, Action]] = []
        self._numbers = itertools.count()
        self._stories: dict[ConversationId, Story] = {}
        self._results: dict[ConversationId, _Result] = {}
        self._open: set[ConversationId] = set()

    async def run(self, stories: Sequence[Story]) -> dict[ConversationId, Outcome]:
        """Who would have been offered each chat, who would have had it, or why nobody.

        Raises:
            Unavailable: the switchboard is out of reach; run it again.
        """
        if not stories:
            return {}
        begin = milliseconds(stories[0].request.requested_at)
        await self._decide(self._seating(from_milliseconds(begin)), begin)
        for story in stories:
            self._stories[story.conversation_id] = story
            self._results[story.conversation_id] = _Result()
            plan = plan_route(story.request, self._directory)
            self._plan_for(story, RequestChat(story.conversation_id, plan, story.request), 0.0)
            if story.withdrawn_after_s is not None:
                leave = WithdrawRequest(story.conversation_id, VISITOR)
                self._plan_for(story, leave, story.withdrawn_after_s)
            if story.taken is not None:
                agent_id, after_s = story.taken
                self._plan_for(story, TakeFromQueue(story.conversation_id, agent_id), after_s)
        while self._agenda or self._open:
            await self._next()
        return {each: _outcome(result) for each, result in self._results.items()}

    def _seating(self, now: datetime) -> list[Instruction]:
        return take_over(self._workspace_id, self._directory, (), (), "replay", now)

    async def _next(self) -> None:
        """Whatever comes first: a timer of the switchboard, or something somebody did."""
        due = (await self._switchboard.next_timers([self._workspace_id]))[self._workspace_id]
        if due is not None and (not self._agenda or due <= self._agenda[0][0]):
            await self._fire(due)
        else:
            at, _, action = heapq.heappop(self._agenda)
            await self._decide([self._instruction(action)], at)

    async def _fire(self, now_ms: int) -> None:
        timers = await self._switchboard.due_timers([self._workspace_id], now_ms)
        instructions = []
        for _, name in timers:
            timer = read_timer(self._workspace_id, name)
            seat = seat_of(self._directory, timer.agent_id, from_milliseconds(now_ms))
            instructions.append(instruction_of_timer(timer, seat))
        await self._decide(instructions, now_ms)

    async def _decide(self, instructions: Sequence[Instruction], now_ms: int) -> None:
        decisions = await self._switchboard.decide(self._epoch, instructions, now_ms)
        showings = [showing_of(self._workspace_id, decision) for decision in decisions]
        await self._switchboard.show(self._epoch, showings)
        for decision in decisions:
            self._follow(decision)

    def _follow(self, decision: Decision) -> None:
        """Note what came of it, and what people do about it."""
        for chat in decision.chats:
            if chat.status.is_final:
                self._open.discard(chat.conversation_id)
            else:
                self._open.add(chat.conversation_id)
        for step in decision.steps:
            match step:
                case decided.Offered():
                    self._ring(step)
                case decided.Accepted():
                    self._results[step.conversation_id].accepted_by = step.agent.id
                    story = self._stories[step.conversation_id]
                    talk_s = TALK_S_DEFAULT if story.talk_s is None else story.talk_s
                    end = EndConversation(step.conversation_id, VISITOR)
                    self._plan_at(decision.at + round(talk_s * 1000), end)
                case decided.FellBack():
                    self._results[step.conversation_id].fell_back = step.reason

    def _ring(self, step: decided.Offered) -> None:
        self._results[step.conversation_id].offered.append(step.agent.id)
        if step.why.stage == TAKEN:
            return  # Who takes it has it.
        answer = self._stories[step.conversation_id].answer(step.attempt)
        at = step.offered_at + round(answer.after_s * 1000)
        match answer.outcome:
            case "accepted":
                self._plan_at(at, AcceptOffer(step.conversation_id, step.agent.id))
            case "declined":
                self._plan_at(at, DeclineOffer(step.conversation_id, step.agent.id))

    def _plan_for(self, story: Story, action: Action, after_s: float) -> None:
        at = story.request.requested_at + timedelta(seconds=after_s)
        self._plan_at(milliseconds(at), action)

    def _plan_at(self, at: int, action: Action) -> None:
        heapq.heappush(self._agenda, (at, next(self._numbers), action))

    def _instruction(self, action: Action) -> Instruction:
        cause = EventId(f"replay/{next(self._numbers)}")
        return Instruction(self._workspace_id, cause, action, is_command=True)


def _without_hands(directory: WorkspaceDirectory) -> WorkspaceDirectory:
    """The directory without what hands did at another time: toggles, and inboxes that are open."""
    if directory.workspace is None:
        return EMPTY
    settings = directory.workspace.settings.model_copy(update={"presence_required": False})
    workspace = directory.workspace.model_copy(update={"settings": settings})
    return WorkspaceDirectory(
        workspace=workspace,
        agents=directory.agents,
        teams=directory.teams,
        rules=directory.rules,
        accounts=directory.accounts,
        profiles=directory.profiles,
    )


def _outcome(result: _Result) -> Outcome:
    return Outcome(tuple(result.offered), result.accepted_by, result.fell_back)
