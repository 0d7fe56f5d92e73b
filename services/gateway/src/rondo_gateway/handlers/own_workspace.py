"""Finding the workspace that a caller manages."""

from __future__ import annotations

from rondo_common.directory.entries import WorkspaceEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import WorkspaceId
from rondo_common.permissions import Permission
from rondo_gateway.domain.permissions import require_permission, require_staff
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.ports import DirectoryView


async def managed_workspace(
    directory: DirectoryView, caller: Principal, *any_of: Permission
) -> WorkspaceDirectory:
    """The caller's workspace, with every write that was answered, if they hold one of the permissions.

    Raises:
        NotPermitted: they do not.
        NotFound: it was deleted since the caller was identified.
    """
    found = await seen_workspace(directory, require_staff(caller).workspace_id)
    require_permission(caller, found, *any_of)
    return found


async def seen_workspace(directory: DirectoryView, workspace_id: WorkspaceId) -> WorkspaceDirectory:
    """The workspace, with every write that was answered. Raises ``NotFound`` when it was deleted."""
    await directory.see_own_writes(workspace_id)
    found = directory.find(workspace_id)
    if found is None:
        raise NotFound("workspace", workspace_id)
    return found


def entry_of(found: WorkspaceDirectory) -> WorkspaceEntry:
    """The workspace itself."""
    assert found.workspace is not None  # noqa: S101 - a view finds only workspaces that exist
    return found.workspace
