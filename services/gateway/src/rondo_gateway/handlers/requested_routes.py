"""Routes that requests ask for: they must lead somewhere before anything is asked of the router."""

from __future__ import annotations

from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import WorkspaceId
from rondo_gateway.domain.chat_request import RouteBody
from rondo_gateway.domain.refusals import Invalid, NotFound
from rondo_gateway.ports import DirectoryView


async def workspace_with_route(
    directory: DirectoryView, workspace_id: WorkspaceId, route: RouteBody
) -> WorkspaceDirectory:
    """The workspace, which has what ``route`` leads to.

    Raises:
        Invalid: it has no such agent, as far as anybody has been answered.
        NotFound: the workspace was deleted.
    """
    found = directory.find(workspace_id)
    agent_id = route.agent_id
    if found is not None and agent_id is not None and agent_id not in found.agents:
        await directory.refresh()
        found = directory.find(workspace_id)
    if found is None:
        raise NotFound("workspace", workspace_id)
    if agent_id is not None and agent_id not in found.agents:
        raise Invalid("/route/agent_id", f"there is no agent {agent_id} in this workspace")
    return found
