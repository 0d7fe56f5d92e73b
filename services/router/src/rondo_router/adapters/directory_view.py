"""The router's view of the directory: settings in memory, agents carried over to the switchboard."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from rondo_common.directory.entries import Kind, WorkspaceSettings
from rondo_common.directory.view import Directory, DirectoryChange
from rondo_common.errors import Fenced
from rondo_common.ids import AgentId, WorkspaceId
from rondo_router.ports import AgentSeat, Epoch, Switchboard

log = structlog.get_logger(__name__)


class SeatedDirectory:
    """Keeps the switchboard's agents as the directory defines them, for the partitions owned here."""

    def __init__(self, directory: Directory, switchboard: Switchboard) -> None:
        self._directory = directory
        self._switchboard = switchboard
        self._epochs: dict[int, Epoch] = {}
        self._carrying = asyncio.Lock()

    def settings(self, workspace_id: WorkspaceId) -> WorkspaceSettings | None:
        """The workspace's settings; None when it does not exist (any more)."""
        found = self._directory.find(workspace_id)
        return found.workspace.settings if found is not None and found.workspace is not None else None

    async def take_over(self, partition: int, epoch: Epoch) -> None:
        """Own a partition: bring every agent of its workspaces up to date, removed ones included.

        Raises:
            Unavailable, Fenced: as the switchboard; repeat it or give the partition up.
        """
        async with self._carrying:
            self._epochs[partition] = epoch
            for workspace_id in self._directory.workspaces_of(partition):
                seated = await self._switchboard.seated(workspace_id)
                defined = {each.entry.id for each in self._directory.agents_of(workspace_id)}
                await self._carry_over(epoch, workspace_id, seated | defined)

    def give_up(self, partition: int) -> None:
        """No longer own a partition."""
        self._epochs.pop(partition, None)

    async def changed(self, changes: Sequence[DirectoryChange]) -> None:
        """Carry changes over, for partitions owned here. Raises ``Unavailable``; repeat it then."""
        touched: dict[WorkspaceId, set[AgentId]] = {}
        for change in changes:
            if change.kind is Kind.AGENT:
                touched.setdefault(change.workspace_id, set()).add(AgentId(change.entry_id))
            elif change.kind is Kind.WORKSPACE:
                # Its settings give agents their capacity.
                agents = self._directory.agents_of(change.workspace_id)
                touched.setdefault(change.workspace_id, set()).update(e.entry.id for e in agents)
        owners = {each.workspace_id: self._epochs.get(each.partition) for each in changes}
        async with self._carrying:
            for workspace_id, agent_ids in touched.items():
                epoch = owners[workspace_id]
                if epoch is not None:
                    await self._carry_over_if_owned(epoch, workspace_id, agent_ids)

    async def _carry_over_if_owned(
        self, epoch: Epoch, workspace_id: WorkspaceId, agent_ids: set[AgentId]
    ) -> None:
        try:
            await self._carry_over(epoch, workspace_id, agent_ids)
        except Fenced:
            # The new owner carries it over: it reads the same directory.
            log.info("directory_change_left_to_new_owner", workspace=workspace_id)

    async def _carry_over(self, epoch: Epoch, workspace_id: WorkspaceId, agent_ids: set[AgentId]) -> None:
        settings = self.settings(workspace_id)
        seats = [
            AgentSeat(each.entry, each.entry.capacity or settings.agent_capacity, each.offset)
            for each in self._directory.agents_of(workspace_id)
            if settings is not None and each.entry.id in agent_ids
        ]
        gone = agent_ids - {seat.agent.id for seat in seats}
        await self._switchboard.seat_agents(epoch, workspace_id, seats)
        await self._switchboard.unseat_agents(epoch, workspace_id, sorted(gone))
