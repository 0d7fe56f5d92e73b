"""Rebuilding: what the switchboard has forgotten is read from the log again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from rondo_common.clock import Clock, milliseconds
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import ConversationId, WorkspaceId, derived_event_id
from rondo_router.domain.instruction import Instruction, ResumeChat
from rondo_router.domain.memory import WorkspaceMemory
from rondo_router.domain.route_plan import settings_of
from rondo_router.domain.seating import EMPTY
from rondo_router.ports import DirectoryView, Epoch, Recorder, Switchboard

REMEMBERED = timedelta(days=7)
"""As long as chats and views are kept; what is older is over."""
REMEMBERED_FOR_ENGAGEMENTS = timedelta(days=32)
"""A calendar month, in any time zone, where engagements are limited."""


class Rebuilding:
    """Puts back what the log remembers. Until it is done, nobody decides in those workspaces."""

    def __init__(
        self, directory: DirectoryView, recorder: Recorder, switchboard: Switchboard, clock: Clock
    ) -> None:
        self._directory = directory
        self._recorder = recorder
        self._switchboard = switchboard
        self._clock = clock

    async def rebuild(self, partition: int, epoch: Epoch, lost: Sequence[WorkspaceId]) -> list[Instruction]:
        """Put back the ``lost`` workspaces of the partition. What then is to be decided first: chats
        that the log left in the middle.

        Raises:
            Retryable: do it again from the beginning.
        """
        if not lost:
            return []
        now = self._clock()
        memories = {each: WorkspaceMemory(self._directory.find(each) or EMPTY) for each in lost}
        since = now - max(_remembered(memory.directory) for memory in memories.values())
        async for workspace_id, record in self._recorder.recall(partition, lost, since):
            memories[workspace_id].take(record)
        for workspace_id, memory in memories.items():
            memory.settle()
            await self._switchboard.restore(epoch, workspace_id, memory, milliseconds(now))
        return [
            _resumption(workspace_id, conversation_id, now)
            for workspace_id, memory in memories.items()
            for conversation_id in memory.broken_off()
        ]


def _remembered(directory: WorkspaceDirectory) -> timedelta:
    is_limited = settings_of(directory).engagements_per_month_max is not None
    return REMEMBERED_FOR_ENGAGEMENTS if is_limited else REMEMBERED


def _resumption(workspace_id: WorkspaceId, conversation_id: ConversationId, now: datetime) -> Instruction:
    cause = derived_event_id(f"{workspace_id}/{conversation_id}/{milliseconds(now)}", "resumed")
    return Instruction(workspace_id, cause, ResumeChat(conversation_id))
