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
        Invalid: it has no such agent or team, as far as anybody has been answered.
        NotFound: the workspace was deleted.
    """
    found = directory.find(workspace_id)
    if found is not None and _unknown(found, route) is not None:
        await directory.refresh()
        found = directory.find(workspace_id)
    if found is None:
        raise NotFound("workspace", workspace_id)
    unknown = _unknown(found, route)
    if unknown is not None:
        raise unknown
    return found


def _unknown(found: WorkspaceDirectory, route: RouteBody) -> Invalid | None:
    """What to say of an agent or team that the route names and the workspace has not; else None."""
    if route.agent_id is not None and route.agent_id not in found.agents:
        return Invalid("/route/agent_id", f"there is no agent {route.agent_id} in this workspace")
    if route.team_id is not None and route.team_id not in found.teams:
        return Invalid("/route/team_id", f"there is no team {route.team_id} in this workspace")
    return None
