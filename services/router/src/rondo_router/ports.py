"""What the router needs from the world, with what each part promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NewType, Protocol

from rondo_common.directory.entries import AgentEntry, WorkspaceSettings
from rondo_common.envelope import Envelope
from rondo_common.events import ConversationEvent
from rondo_common.ids import AgentId, WorkspaceId
from rondo_router.domain.decision import Decision
from rondo_router.domain.instruction import Instruction
from rondo_router.domain.outcome import Showing

Epoch = NewType("Epoch", int)
"""Proof of owning a partition; greater than any given for it before."""


@dataclass(frozen=True, slots=True)
class AgentSeat:
    """An agent as the switchboard needs them. ``version`` is the offset that defined them."""

    agent: AgentEntry
    capacity: int
    version: int


class Switchboard(Protocol):
    """Decides, atomically: rotation, capacity, offers, timers.

    Every effect is idempotent, takes place in the order given, and is refused to an owner whose
    epoch is older than one it has seen.

    Raises (every method):
        Unavailable: it cannot be reached; any prefix of what was asked may have had its effect.
        Fenced: a newer owner was here.
    """

    async def claim(self, partition: int, now_ms: int) -> Epoch:
        """The next epoch of a partition: all earlier owners are fenced off from their next effect."""
        ...

    async def seat_agents(
        self, epoch: Epoch, workspace_id: WorkspaceId, seats: Sequence[AgentSeat]
    ) -> None:
        """Let agents take part as described, unless a newer version is known."""
        ...

    async def unseat_agents(
        self, epoch: Epoch, workspace_id: WorkspaceId, agent_ids: Sequence[AgentId]
    ) -> None:
        """Let agents be offered nothing any more."""
        ...

    async def seated(self, workspace_id: WorkspaceId) -> set[AgentId]:
        """The agents known to the workspace's rotation."""
        ...

    async def decide(
        self, epoch: Epoch, instructions: Sequence[Instruction], now_ms: int
    ) -> list[Decision]:
        """Decide each, in order. A cause decided before gets the same decision again."""
        ...

    async def show(self, epoch: Epoch, showings: Sequence[Showing]) -> dict[WorkspaceId, int | None]:
        """Let the world see decisions the log has, in order. When each workspace's next timer is due."""
        ...

    async def due_timers(
        self, workspace_ids: Sequence[WorkspaceId], now_ms: int
    ) -> list[tuple[WorkspaceId, str]]:
        """The timers that are due, oldest first within a workspace. They stay until they are shown."""
        ...

    async def next_timers(self, workspace_ids: Sequence[WorkspaceId]) -> dict[WorkspaceId, int | None]:
        """When each workspace's next timer is due, in ms."""
        ...


class Announcer(Protocol):
    """Puts events into the log.

    Raises:
        Unavailable: not all of them are confirmed; announce all of them again.
    """

    async def announce(self, envelopes: Sequence[Envelope[ConversationEvent]]) -> list[int]:
        """Return when the log has all of them, in this order for each conversation: their offsets."""
        ...


class DirectoryPosition(Protocol):
    """How far this process has read the directory."""

    async def reached(self, workspace_id: WorkspaceId, offset: int) -> None:
        """Wait until everything the workspace's partition holds below ``offset`` is in the view and,
        for partitions owned here, on the switchboard."""
        ...


class DirectoryView(Protocol):
    """The directory as far as this process has read it."""

    def settings(self, workspace_id: WorkspaceId) -> WorkspaceSettings | None:
        """The workspace's settings; None when it does not exist (any more)."""
        ...
