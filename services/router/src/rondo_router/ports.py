"""What the router needs from the world, with what each part promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NewType, Protocol

from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.envelope import Envelope
from rondo_common.ids import AgentId, WorkspaceId
from rondo_router.domain.decision import Decision
from rondo_router.domain.instruction import Instruction
from rondo_router.domain.memory import Recorded, WorkspaceMemory
from rondo_router.domain.outcome import RouterEvent, Showing

Epoch = NewType("Epoch", int)
"""Proof of owning a partition; greater than any given for it before."""


@dataclass(frozen=True, slots=True)
class Seated:
    """Who sits at a workspace's switchboard, and which pools it has."""

    agents: frozenset[AgentId]
    pools: frozenset[str]


class Switchboard(Protocol):
    """Decides, atomically: rotation, capacity, offers, queue, transfers, presence, timers.

    Every effect is idempotent, takes place in the order given, and is refused to an owner whose
    epoch is older than one it has seen.

    Raises (every method):
        Unavailable: it cannot be reached; any prefix of what was asked may have had its effect.
        Fenced: a newer owner was here.
        Lost: it has forgotten the workspace; rebuild it.
    """

    async def claim(self, partition: int, now_ms: int) -> Epoch:
        """The next epoch of a partition: all earlier owners are fenced off from their next effect."""
        ...

    async def adopt(self, epoch: Epoch, partition: int, workspace_ids: Sequence[WorkspaceId]) -> None:
        """From now on the partition's owner decides in these workspaces, which are whole."""
        ...

    async def lost(self, partition: int, workspace_ids: Sequence[WorkspaceId]) -> list[WorkspaceId]:
        """Those of the workspaces that were adopted once and have been forgotten since."""
        ...

    async def restore(
        self, epoch: Epoch, workspace_id: WorkspaceId, memory: WorkspaceMemory, now_ms: int
    ) -> None:
        """Put back what the log remembers of a workspace that was forgotten, before it is adopted."""
        ...

    async def discard(self, partition: int, workspace_id: WorkspaceId) -> None:
        """Remove everything about a workspace that nobody decides in any more."""
        ...

    async def seated(self, workspace_id: WorkspaceId) -> Seated:
        """The agents and pools the workspace's switchboard knows."""
        ...

    async def decide(
        self, epoch: Epoch, instructions: Sequence[Instruction], now_ms: int
    ) -> list[Decision]:
        """Decide each, in order. A cause decided before gets the same decision again.

        After each, nobody waits whom an agent with room could take.
        """
        ...

    async def untold(self, workspace_ids: Sequence[WorkspaceId]) -> list[tuple[WorkspaceId, Decision]]:
        """The decisions with steps that were not shown yet, in the order they were taken."""
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

    async def announce(self, envelopes: Sequence[Envelope[RouterEvent]]) -> list[int]:
        """Return when the log has all of them, in this order for each conversation and each agent: their
        offsets."""
        ...


class DirectoryPosition(Protocol):
    """How far this process has read the directory."""

    async def reached(self, workspace_id: WorkspaceId, offset: int) -> None:
        """Wait until everything the workspace's partition holds below ``offset`` is in the view and,
        for partitions owned here, on the switchboard."""
        ...


class DirectoryView(Protocol):
    """The directory as far as this process has read it."""

    def find(self, workspace_id: WorkspaceId) -> WorkspaceDirectory | None:
        """A workspace that exists, or None."""
        ...


class Recorder(Protocol):
    """What the log remembers.

    Raises:
        Unavailable: it cannot be read now.
    """

    def recall(
        self, partition: int, workspace_ids: Collection[WorkspaceId], since: datetime
    ) -> AsyncIterator[tuple[WorkspaceId, Recorded]]:
        """Everything the log has of conversations and agents in these workspaces of the partition, from
        then up to now: each conversation in order, each agent in order."""
        ...
