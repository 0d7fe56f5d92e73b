"""The switchboard in memory: the rules told once more, plainly and slowly.

The contract suite holds the real one against it, and tests of the router use it where no server is
wanted. ``plain_rotation``: whose turn it is. ``plain_workspace``: who may be offered a chat, who
waits. ``plain_offers``: along the plan. ``plain_rules``: what each instruction does.
"""

from __future__ import annotations

from collections.abc import Sequence

from rondo_common.errors import Fenced, Lost
from rondo_common.ids import WorkspaceId
from rondo_router.domain.decision import Decision
from rondo_router.domain.instruction import Instruction, PreviewRoute
from rondo_router.domain.memory import WorkspaceMemory
from rondo_router.domain.outcome import ChatShowing, Showing
from rondo_router.ports import Epoch, Seated
from tests.router import plain_rules
from tests.router.plain_offers import Offering
from tests.router.plain_restoring import restore_workspace
from tests.router.plain_workspace import Shown, Workspace


class FakeSwitchboard:
    """A :class:`rondo_router.ports.Switchboard` without a server."""

    def __init__(self) -> None:
        self.workspaces: dict[WorkspaceId, Workspace] = {}
        self._restored: dict[WorkspaceId, Workspace] = {}
        self._epochs: dict[int, int] = {}
        self._adopted: dict[int, set[WorkspaceId]] = {}

    def forget(self) -> None:
        """Lose everything, as a server does that comes back empty."""
        self.workspaces.clear()
        self._restored.clear()
        self._epochs.clear()
        self._adopted.clear()

    # -- owners ---------------------------------------------------------------------------------

    async def claim(self, partition: int, now_ms: int) -> Epoch:
        self._epochs[partition] = max(self._epochs.get(partition, 0) + 1, now_ms)
        return Epoch(self._epochs[partition])

    async def adopt(self, epoch: Epoch, partition: int, workspace_ids: Sequence[WorkspaceId]) -> None:
        if workspace_ids:
            self._epochs[partition] = max(self._epochs.get(partition, 0), epoch)
        for each in workspace_ids:
            if each in self.workspaces:
                _fence(epoch, self.workspaces[each])
            else:
                self.workspaces[each] = self._restored.pop(each, Workspace())
            self.workspaces[each].epoch = epoch
            self._adopted.setdefault(partition, set()).add(each)

    async def lost(self, partition: int, workspace_ids: Sequence[WorkspaceId]) -> list[WorkspaceId]:
        adopted = self._adopted.get(partition)
        return [
            each
            for each in workspace_ids
            if each not in self.workspaces and (adopted is None or each in adopted)
        ]

    async def restore(
        self, epoch: Epoch, workspace_id: WorkspaceId, memory: WorkspaceMemory, now_ms: int
    ) -> None:
        if workspace_id in self.workspaces:
            _fence(epoch, self.workspaces[workspace_id])
        self._restored[workspace_id] = restore_workspace(memory, now_ms)

    async def discard(self, partition: int, workspace_id: WorkspaceId) -> None:
        self.workspaces.pop(workspace_id, None)
        self._adopted.get(partition, set()).discard(workspace_id)

    async def seated(self, workspace_id: WorkspaceId) -> Seated:
        workspace = self.workspaces.get(workspace_id) or Workspace()
        return Seated(frozenset(workspace.seats), frozenset(workspace.pools))

    def _owned(self, epoch: Epoch, workspace_id: WorkspaceId) -> Workspace:
        workspace = self.workspaces.get(workspace_id)
        if workspace is None:
            raise Lost(f"{workspace_id} is not known here (any more)")
        _fence(epoch, workspace)
        workspace.epoch = max(workspace.epoch, epoch)
        return workspace

    # -- deciding -------------------------------------------------------------------------------

    async def decide(
        self, epoch: Epoch, instructions: Sequence[Instruction], now_ms: int
    ) -> list[Decision]:
        return [self._decide(self._owned(epoch, each.workspace_id), each, now_ms) for each in instructions]

    def _decide(self, workspace: Workspace, asked: Instruction, now: int) -> Decision:
        if isinstance(asked.action, PreviewRoute):
            seen = plain_rules.preview(workspace, asked.action)
            return Decision(cause=asked.cause, at=now, is_command=asked.is_command, preview=seen)
        if asked.cause in workspace.decisions:
            return workspace.decisions[asked.cause]
        making = Offering(workspace, now)
        refusal = plain_rules.carry_out(making, asked.action)
        making.settle()
        decision = Decision(
            cause=asked.cause,
            at=now,
            steps=tuple(making.steps),
            chats=making.states(),
            refusal=refusal,
            is_command=asked.is_command,
            timer=asked.timer,
        )
        if decision.steps:
            workspace.untold.append(asked.cause)
        if decision.steps or asked.is_command:
            workspace.decisions[asked.cause] = decision
        return decision

    async def untold(self, workspace_ids: Sequence[WorkspaceId]) -> list[tuple[WorkspaceId, Decision]]:
        return [
            (each, self.workspaces[each].decisions[cause])
            for each in workspace_ids
            if each in self.workspaces
            for cause in self.workspaces[each].untold
        ]

    # -- showing --------------------------------------------------------------------------------

    async def show(self, epoch: Epoch, showings: Sequence[Showing]) -> dict[WorkspaceId, int | None]:
        for showing in showings:
            _show(self._owned(epoch, showing.workspace_id), showing)
        return await self.next_timers([each.workspace_id for each in showings])

    async def due_timers(
        self, workspace_ids: Sequence[WorkspaceId], now_ms: int
    ) -> list[tuple[WorkspaceId, str]]:
        return [
            (each, name)
            for each in workspace_ids
            for name, due in sorted(self._timers(each).items(), key=lambda timer: (timer[1], timer[0]))
            if due <= now_ms
        ]

    async def next_timers(self, workspace_ids: Sequence[WorkspaceId]) -> dict[WorkspaceId, int | None]:
        return {each: min(self._timers(each).values(), default=None) for each in workspace_ids}

    def _timers(self, workspace_id: WorkspaceId) -> dict[str, int]:
        workspace = self.workspaces.get(workspace_id)
        return {} if workspace is None else workspace.timers


def _fence(epoch: Epoch, workspace: Workspace) -> None:
    if epoch < workspace.epoch:
        raise Fenced(f"epoch {epoch} is older than {workspace.epoch}")


def _show(workspace: Workspace, showing: Showing) -> None:
    for chat in showing.chats:
        _show_chat(workspace, chat)
    decision = showing.decision
    if not decision.repeated:
        workspace.decisions[decision.cause] = decision.as_told()
        workspace.untold = [each for each in workspace.untold if each != decision.cause]
    for name in showing.done_timers:
        workspace.timers.pop(name, None)
    if showing.answer is not None:
        workspace.answers[decision.cause] = showing.answer


def _show_chat(workspace: Workspace, chat: ChatShowing) -> None:
    shown = workspace.shown.setdefault(chat.view.id, Shown())
    if chat.log_offset is not None:
        shown.log_offset = max(shown.log_offset, chat.log_offset)
    if shown.version >= chat.version:
        return
    shown.version, shown.view = chat.version, chat.view
    if chat.log_offset is not None:
        shown.state_offset = chat.log_offset
    workspace.timers.update(chat.timers)
    for agent in chat.released:
        workspace.desks.setdefault(agent, set()).discard(chat.view.id)
    for agent in chat.rings:
        workspace.desks.setdefault(agent, set()).add(chat.view.id)
