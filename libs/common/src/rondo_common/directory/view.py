"""The directory in memory: a pure view that changes one record at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from rondo_common.directory.entries import AgentEntry, ApiKeyEntry, Kind, WorkspaceEntry
from rondo_common.events import AgentDefined, ApiKeyDefined, Event, WorkspaceDefined
from rondo_common.ids import AgentId, ApiKeyId, WorkspaceId

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Defined(Generic[T]):
    """An entry, and the offset of the record that defined it: its version."""

    entry: T
    offset: int


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """One record of the directory topic. ``event`` None means that the entry was removed."""

    workspace_id: WorkspaceId
    kind: Kind
    entry_id: str
    event: Event | None
    partition: int
    offset: int


@dataclass(slots=True)
class WorkspaceDirectory:
    """What one workspace has provisioned."""

    workspace: WorkspaceEntry | None = None
    agents: dict[AgentId, Defined[AgentEntry]] = field(default_factory=dict)
    api_keys: dict[ApiKeyId, ApiKeyEntry] = field(default_factory=dict)


class Directory:
    """All workspaces, as far as the log was read."""

    def __init__(self) -> None:
        self._workspaces: dict[WorkspaceId, WorkspaceDirectory] = {}
        self._partitions: dict[WorkspaceId, int] = {}
        self._keys: dict[str, tuple[WorkspaceId, ApiKeyId]] = {}

    def find(self, workspace_id: WorkspaceId) -> WorkspaceDirectory | None:
        """A workspace that exists, or None."""
        found = self._workspaces.get(workspace_id)
        return found if found is not None and found.workspace is not None else None

    def workspaces(self) -> Iterable[WorkspaceEntry]:
        """Every workspace that exists, in no particular order."""
        return [each.workspace for each in self._workspaces.values() if each.workspace is not None]

    def workspaces_of(self, partition: int) -> list[WorkspaceId]:
        """The ids of every workspace the partition speaks of, removed ones included."""
        return [each for each, where in self._partitions.items() if where == partition]

    def agents_of(self, workspace_id: WorkspaceId) -> list[Defined[AgentEntry]]:
        """The workspace's agents in the order they joined; none once it is removed."""
        found = self.find(workspace_id)
        return [] if found is None else list(found.agents.values())

    def find_api_key(self, sha256: str) -> tuple[WorkspaceId, ApiKeyId] | None:
        """Whose key has this hash, if its workspace still exists."""
        found = self._keys.get(sha256)
        return found if found is not None and self.find(found[0]) is not None else None

    def apply(self, change: DirectoryChange) -> None:
        """Take in the next record."""
        self._partitions[change.workspace_id] = change.partition
        of_workspace = self._workspaces.setdefault(change.workspace_id, WorkspaceDirectory())
        match change.event:
            case WorkspaceDefined(workspace=workspace):
                of_workspace.workspace = workspace
            case AgentDefined(agent=agent):
                of_workspace.agents[agent.id] = Defined(agent, change.offset)
            case ApiKeyDefined(api_key=api_key):
                self._forget_api_key(of_workspace, api_key.id)
                of_workspace.api_keys[api_key.id] = api_key
                self._keys[api_key.sha256] = (change.workspace_id, api_key.id)
            case None:
                self._remove(of_workspace, change)
            case _:
                pass  # A kind this version does not know; a later one will.

    def _remove(self, of_workspace: WorkspaceDirectory, change: DirectoryChange) -> None:
        match change.kind:
            case Kind.WORKSPACE:
                of_workspace.workspace = None
            case Kind.AGENT:
                of_workspace.agents.pop(AgentId(change.entry_id), None)
            case Kind.API_KEY:
                self._forget_api_key(of_workspace, ApiKeyId(change.entry_id))

    def _forget_api_key(self, of_workspace: WorkspaceDirectory, api_key_id: ApiKeyId) -> None:
        api_key = of_workspace.api_keys.pop(api_key_id, None)
        if api_key is not None:
            self._keys.pop(api_key.sha256, None)
