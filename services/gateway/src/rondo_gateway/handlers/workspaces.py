"""Workspaces: the operator's, and what their backends set in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rondo_common.clock import Clock
from rondo_common.directory.entries import ApiKeyEntry, Kind, WorkspaceEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.errors import Conflict
from rondo_common.events import ApiKeyDefined, WorkspaceDefined
from rondo_common.ids import WorkspaceId, new_api_key_id
from rondo_gateway.domain.paging import page_of
from rondo_gateway.domain.permissions import require_backend, require_operator
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.provisioning import WorkspaceBody, patched_settings
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.handlers.authentication import sha256_of
from rondo_gateway.ports import Definition, DirectoryLog, DirectoryView


@dataclass(frozen=True, slots=True)
class Created:
    """A new workspace and its first API key, in clear."""

    workspace: WorkspaceEntry
    api_key: str


class Workspaces:
    """Creates, lists, changes and deletes workspaces."""

    def __init__(
        self,
        directory: DirectoryView,
        log: DirectoryLog,
        clock: Clock,
        new_api_key: Callable[[], str],
    ) -> None:
        self._directory = directory
        self._log = log
        self._clock = clock
        self._new_api_key = new_api_key

    async def create(self, caller: Principal, body: WorkspaceBody) -> Created:
        """A new workspace. Raises ``Conflict`` when the id is taken."""
        require_operator(caller)
        workspace_id = WorkspaceId(body.id)
        async with self._log.changing(workspace_id):
            await self._directory.see_own_writes(workspace_id)
            if self._directory.find(workspace_id) is not None:
                raise Conflict(
                    "workspace-exists",
                    f"Workspace {workspace_id} exists. Choose another id, or, if its API key never "
                    "reached you, delete it and create it again.",
                )
            now = self._clock()
            workspace = WorkspaceEntry(id=workspace_id, name=body.name, created_at=now)
            api_key = self._new_api_key()
            entry = ApiKeyEntry(id=new_api_key_id(now), sha256=sha256_of(api_key), created_at=now)
            definitions = [
                Definition(Kind.WORKSPACE, workspace_id, WorkspaceDefined(workspace=workspace)),
                Definition(Kind.API_KEY, entry.id, ApiKeyDefined(api_key=entry)),
            ]
            await self._log.write(workspace_id, definitions)
        return Created(workspace, api_key)

    async def list_page(
        self, caller: Principal, limit: int, after: str | None
    ) -> tuple[list[WorkspaceEntry], str | None]:
        """A page of all workspaces, by id."""
        require_operator(caller)
        await self._directory.refresh()
        return page_of(self._directory.workspaces(), lambda entry: entry.id, limit, after)

    async def read(self, caller: Principal, workspace_id: WorkspaceId) -> WorkspaceEntry:
        """One workspace, for the operator."""
        require_operator(caller)
        return _entry_of(await self._existing(workspace_id))

    async def delete(self, caller: Principal, workspace_id: WorkspaceId) -> None:
        """Remove a workspace and everything provisioned in it."""
        require_operator(caller)
        async with self._log.changing(workspace_id):
            found = await self._existing(workspace_id)
            # The workspace last: should it break off, there is still something to delete again.
            removals = [
                *(Definition(Kind.AGENT, each, None) for each in found.agents),
                *(Definition(Kind.API_KEY, each, None) for each in found.api_keys),
                Definition(Kind.IDENTITY, workspace_id, None),
                Definition(Kind.WORKSPACE, workspace_id, None),
            ]
            await self._log.write(workspace_id, removals)

    async def read_own(self, caller: Principal) -> WorkspaceEntry:
        """The calling backend's workspace, with its settings."""
        return _entry_of(await self._existing(require_backend(caller).workspace_id))

    async def change_settings(self, caller: Principal, patch: Mapping[str, Any]) -> WorkspaceEntry:
        """Change settings by a merge patch; the workspace after that. Raises ``Invalid``."""
        workspace_id = require_backend(caller).workspace_id
        async with self._log.changing(workspace_id):
            workspace = _entry_of(await self._existing(workspace_id))
            settings = patched_settings(workspace.settings, patch)
            changed = workspace.model_copy(update={"settings": settings})
            definition = Definition(Kind.WORKSPACE, workspace_id, WorkspaceDefined(workspace=changed))
            await self._log.write(workspace_id, [definition])
        return changed

    async def _existing(self, workspace_id: WorkspaceId) -> WorkspaceDirectory:
        await self._directory.see_own_writes(workspace_id)
        found = self._directory.find(workspace_id)
        if found is None:
            await self._directory.refresh()
            found = self._directory.find(workspace_id)
        if found is None:
            raise NotFound("workspace", workspace_id)
        return found


def _entry_of(found: WorkspaceDirectory) -> WorkspaceEntry:
    assert found.workspace is not None  # noqa: S101 - a view finds only workspaces that exist
    return found.workspace
