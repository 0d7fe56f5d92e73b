"""Workspaces: the operator's, and what their backends set in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rondo_common.clock import Clock
from rondo_common.directory.entries import ApiKeyEntry, Kind, WorkspaceEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.errors import Conflict
from rondo_common.events import ApiKeyDefined, WorkspaceDefined
from rondo_common.ids import WorkspaceId, new_api_key_id
from rondo_gateway.domain.paging import page_of
from rondo_gateway.domain.permissions import (
    ADMIN_PERMISSIONS,
    require_operator,
    require_permission,
    require_staff,
)
from rondo_gateway.domain.preconditions import Preconditions
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.provisioning import WorkspaceBody
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.domain.workspace_settings import patched_settings, permissions_to_patch
from rondo_gateway.handlers.authentication import sha256_of
from rondo_gateway.handlers.own_workspace import entry_of, managed_workspace
from rondo_gateway.handlers.provisioned import Versioned
from rondo_gateway.ports import WRITE_ENTRIES_MAX, Definition, DirectoryLog, DirectoryView


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
        return entry_of(await self._existing(workspace_id))

    async def delete(self, caller: Principal, workspace_id: WorkspaceId) -> None:
        """Remove a workspace and everything provisioned in it."""
        require_operator(caller)
        async with self._log.changing(workspace_id):
            found = await self._existing(workspace_id)
            # The workspace last: should it break off, there is still something to delete again.
            removals = [*_contents(found), Definition(Kind.WORKSPACE, workspace_id, None)]
            for start in range(0, len(removals), WRITE_ENTRIES_MAX):
                await self._log.write(workspace_id, removals[start : start + WRITE_ENTRIES_MAX])

    async def read_own(self, caller: Principal) -> Versioned[WorkspaceEntry]:
        """The caller's workspace, with its settings, for whoever may manage some of it."""
        found = await managed_workspace(self._directory, caller, *ADMIN_PERMISSIONS)
        return Versioned(entry_of(found), found.workspace_offset)

    async def change_settings(
        self, caller: Principal, patch: Mapping[str, Any], preconditions: Preconditions
    ) -> Versioned[WorkspaceEntry]:
        """Change settings by a merge patch; the workspace after that.

        Raises:
            Invalid: a setting cannot be as the patch has it.
            PreconditionFailed: they are not as the caller thinks.
        """
        workspace_id = require_staff(caller).workspace_id
        async with self._log.changing(workspace_id):
            found = await managed_workspace(self._directory, caller, *ADMIN_PERMISSIONS)
            for permission in permissions_to_patch(patch):
                require_permission(caller, found, permission)
            preconditions.require("workspace", found.workspace_offset)
            workspace = entry_of(found)
            settings = patched_settings(workspace.settings, patch)
            changed = workspace.model_copy(update={"settings": settings})
            definition = Definition(Kind.WORKSPACE, workspace_id, WorkspaceDefined(workspace=changed))
            (offset,) = await self._log.write(workspace_id, [definition])
        return Versioned(changed, offset)

    async def _existing(self, workspace_id: WorkspaceId) -> WorkspaceDirectory:
        await self._directory.see_own_writes(workspace_id)
        found = self._directory.find(workspace_id)
        if found is None:
            await self._directory.refresh()
            found = self._directory.find(workspace_id)
        if found is None:
            raise NotFound("workspace", workspace_id)
        return found


def _contents(found: WorkspaceDirectory) -> Iterator[Definition]:
    """What removes everything in the workspace."""
    ids: dict[Kind, Iterable[str]] = {
        Kind.ACCOUNT: [each.entry.id for each in found.accounts],
        Kind.RULE: found.rules,
        Kind.TEAM: found.teams,
        # Toggles of agents who are gone as well: one may have been switched while its agent was deleted.
        Kind.TOGGLE: found.toggles,
        Kind.PUSH_SUBSCRIPTION: found.push_subscriptions,
        Kind.SAVED_REPLY: found.saved_replies,
        Kind.WEBHOOK: found.webhooks,
        Kind.AGENT: found.agents,
        Kind.PROFILE: found.profiles,
        Kind.API_KEY: found.api_keys,
        Kind.IDENTITY: [found.workspace.id] if found.identity and found.workspace else [],
    }
    for kind, names in ids.items():
        yield from (Definition(kind, name, None) for name in names)
