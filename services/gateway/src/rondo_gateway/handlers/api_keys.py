"""API keys of a workspace, managed with one of them or by an agent who minds its security."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rondo_common.clock import Clock
from rondo_common.directory.entries import ApiKeyEntry, Kind
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.events import ApiKeyDefined
from rondo_common.ids import ApiKeyId, new_api_key_id
from rondo_common.permissions import Permission
from rondo_gateway.domain.paging import page_of
from rondo_gateway.domain.permissions import require_staff
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.provisioning import ApiKeyBody
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.handlers.authentication import sha256_of
from rondo_gateway.handlers.own_workspace import entry_of, managed_workspace
from rondo_gateway.ports import Definition, DirectoryLog, DirectoryView


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key's entry, and the key in clear."""

    entry: ApiKeyEntry
    api_key: str


class ApiKeys:
    """Creates, lists and deletes API keys."""

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

    async def create(self, caller: Principal, body: ApiKeyBody) -> CreatedKey:
        """Another key of the caller's workspace."""
        workspace_id = entry_of(await self._managed(caller)).id
        now = self._clock()
        api_key = self._new_api_key()
        entry = ApiKeyEntry(
            id=new_api_key_id(now), name=body.name, sha256=sha256_of(api_key), created_at=now
        )
        definition = Definition(Kind.API_KEY, entry.id, ApiKeyDefined(api_key=entry))
        await self._log.write(workspace_id, [definition])
        return CreatedKey(entry, api_key)

    async def list_page(
        self, caller: Principal, limit: int, after: str | None
    ) -> tuple[list[ApiKeyEntry], str | None]:
        """A page of the workspace's keys, oldest first."""
        entries = (await self._managed(caller)).api_keys
        return page_of(entries.values(), lambda entry: entry.id, limit, after)

    async def read(self, caller: Principal, key_id: ApiKeyId) -> ApiKeyEntry:
        """One key, without the key itself."""
        entries = (await self._managed(caller)).api_keys
        if key_id not in entries:
            raise NotFound("API key", key_id)
        return entries[key_id]

    async def delete(self, caller: Principal, key_id: ApiKeyId) -> None:
        """Remove a key: from the answer on it opens nothing."""
        entry = await self.read(caller, key_id)
        workspace_id = require_staff(caller).workspace_id
        await self._log.write(workspace_id, [Definition(Kind.API_KEY, entry.id, None)])

    async def _managed(self, caller: Principal) -> WorkspaceDirectory:
        return await managed_workspace(self._directory, caller, Permission.ADMIN_SECURITY)
