"""Whom a conversation can be handed over to."""

from __future__ import annotations

from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import AgentId, WorkspaceId
from rondo_gateway.domain.refusals import Invalid
from rondo_gateway.domain.transfer import TransferBody
from rondo_gateway.ports import DirectoryView


async def require_receiver(
    directory: DirectoryView, workspace_id: WorkspaceId, by: AgentId, body: TransferBody
) -> None:
    """Raises ``Invalid`` unless the workspace has that agent, who is not ``by``, or that team."""
    if body.agent_id == by:
        raise Invalid("/agent_id", "this agent has the conversation already; name another")
    if not _has(directory.find(workspace_id), body):
        await directory.refresh()
    if not _has(directory.find(workspace_id), body):
        kind, name = ("agent", body.agent_id) if body.agent_id is not None else ("team", body.team_id)
        raise Invalid(f"/{kind}_id", f"there is no {kind} {name} in this workspace")


def _has(found: WorkspaceDirectory | None, body: TransferBody) -> bool:
    if found is None:
        return False
    return body.agent_id in found.agents if body.agent_id is not None else body.team_id in found.teams
