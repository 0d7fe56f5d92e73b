"""Defining, reading, listing and deleting what a workspace provisions: the same for every kind."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from rondo_common.directory.defined import Defined
from rondo_common.directory.entries import Kind
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.events import Event
from rondo_common.ids import WorkspaceId
from rondo_common.permissions import Permission
from rondo_gateway.domain.paging import page_of
from rondo_gateway.domain.permissions import require_staff
from rondo_gateway.domain.preconditions import Preconditions
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.handlers.own_workspace import managed_workspace
from rondo_gateway.ports import Definition, DirectoryLog, DirectoryView

BodyT = TypeVar("BodyT")
EntryT = TypeVar("EntryT")
ShownT = TypeVar("ShownT")


@dataclass(frozen=True, slots=True)
class Versioned(Generic[ShownT]):
    """Something as it is shown, with the version of what defines it: the offset of that record."""

    shown: ShownT
    version: int
    is_new: bool = False
    is_settled: bool = True
    """True when the same version always looks the same."""


class ProvisionedKind(ABC, Generic[BodyT, EntryT, ShownT]):
    """What is special about one kind. Everything is asked with the caller's own workspace."""

    kind: ClassVar[Kind]
    name: ClassVar[str]
    """As refusals call it."""
    permission: ClassVar[Permission]
    """What an agent must be permitted in order to provision it."""
    readers: ClassVar[frozenset[Permission]] = frozenset()
    """What lets an agent read it, besides."""
    is_put_in_turn: ClassVar[bool] = True
    """Whether what a ``PUT`` leads to depends on what was there before."""

    @abstractmethod
    def find(self, found: WorkspaceDirectory, entry_id: str) -> Defined[EntryT] | None:
        """The entry, or None."""

    @abstractmethod
    def all(self, found: WorkspaceDirectory) -> Iterable[tuple[str, EntryT]]:
        """Every entry, with its id."""

    @abstractmethod
    async def define(
        self, caller: Principal, found: WorkspaceDirectory, entry_id: str, body: BodyT
    ) -> EntryT:
        """The entry that ``body`` means.

        Raises:
            Invalid: it names something that is not there.
            NotPermitted: the caller would give somebody more than they have.
        """

    @abstractmethod
    def event(self, entry: EntryT) -> Event:
        """The event that defines the entry."""

    @abstractmethod
    def show(self, found: WorkspaceDirectory, entry: EntryT) -> ShownT:
        """The entry as it is shown."""

    def is_settled(self, found: WorkspaceDirectory, defined: Defined[EntryT]) -> bool:  # noqa: ARG002 - for those it depends on
        """Whether it has looked as it does since it was defined."""
        return True

    def removal(self, caller: Principal, found: WorkspaceDirectory, entry_id: str) -> Sequence[Definition]:  # noqa: ARG002 - as above
        """What removes the entry, in this order, with everything that must change along with it.

        Raises:
            Conflict: it must not be removed now.
            NotPermitted: the caller would give somebody more than they have.
        """
        return [Definition(self.kind, entry_id, None)]


class TabledKind(ProvisionedKind[BodyT, EntryT, ShownT]):
    """A kind of which the directory keeps one table, by id."""

    @abstractmethod
    def table(self, found: WorkspaceDirectory) -> Mapping[Any, Defined[EntryT]]:
        """Every entry, by its id."""

    def find(self, found: WorkspaceDirectory, entry_id: str) -> Defined[EntryT] | None:
        """See :class:`ProvisionedKind`."""
        return self.table(found).get(entry_id)

    def all(self, found: WorkspaceDirectory) -> Iterable[tuple[str, EntryT]]:
        """See :class:`ProvisionedKind`."""
        return ((each, defined.entry) for each, defined in self.table(found).items())


class Provisioned(Generic[BodyT, EntryT, ShownT]):
    """Everything of one kind, for website backends and the agents who may provision it."""

    def __init__(
        self, directory: DirectoryView, log: DirectoryLog, kind: ProvisionedKind[BodyT, EntryT, ShownT]
    ) -> None:
        self._directory = directory
        self._log = log
        self._kind = kind

    async def put(
        self, caller: Principal, entry_id: str, body: BodyT, preconditions: Preconditions
    ) -> Versioned[ShownT]:
        """Define it, new or anew. Raises ``PreconditionFailed``, and what its kind raises."""
        workspace_id = require_staff(caller).workspace_id
        async with self._turn(workspace_id, is_needed=self._kind.is_put_in_turn or bool(preconditions)):
            found = await self._managed(caller)
            present = self._kind.find(found, entry_id)
            preconditions.require(self._called(entry_id), None if present is None else present.offset)
            entry = await self._kind.define(caller, found, entry_id, body)
            definition = Definition(self._kind.kind, entry_id, self._kind.event(entry))
            (offset,) = await self._log.write(workspace_id, [definition])
        return self._versioned(found, Defined(entry, offset), is_new=present is None)

    async def read(self, caller: Principal, entry_id: str) -> Versioned[ShownT]:
        """One of them. Raises ``NotFound``."""
        found = await self._readable(caller)
        return self._versioned(found, await self._existing(found, entry_id))

    async def list_page(
        self, caller: Principal, limit: int, after: str | None
    ) -> tuple[list[ShownT], str | None]:
        """A page of them, by id."""
        found = await self._readable(caller)
        page, cursor = page_of(self._kind.all(found), lambda each: each[0], limit, after)
        return [self._kind.show(found, entry) for _, entry in page], cursor

    async def delete(self, caller: Principal, entry_id: str, preconditions: Preconditions) -> None:
        """Remove it. Raises ``NotFound``, ``PreconditionFailed``, and what its kind raises."""
        workspace_id = require_staff(caller).workspace_id
        async with self._turn(workspace_id, is_needed=True):
            found = await self._managed(caller)
            present = await self._existing(found, entry_id)
            preconditions.require(self._called(entry_id), present.offset)
            await self._log.write(workspace_id, self._kind.removal(caller, found, entry_id))

    def _turn(self, workspace_id: WorkspaceId, *, is_needed: bool) -> AbstractAsyncContextManager[None]:
        return self._log.changing(workspace_id) if is_needed else contextlib.nullcontext()

    async def _managed(self, caller: Principal) -> WorkspaceDirectory:
        return await managed_workspace(self._directory, caller, self._kind.permission)

    async def _readable(self, caller: Principal) -> WorkspaceDirectory:
        return await managed_workspace(self._directory, caller, self._kind.permission, *self._kind.readers)

    async def _existing(self, found: WorkspaceDirectory, entry_id: str) -> Defined[EntryT]:
        present = self._kind.find(found, entry_id)
        if present is None:
            await self._directory.refresh()  # It may have been made at another gateway just now.
            present = self._kind.find(found, entry_id)
        if present is None:
            raise NotFound(self._kind.name, entry_id)
        return present

    def _versioned(
        self, found: WorkspaceDirectory, defined: Defined[EntryT], *, is_new: bool = False
    ) -> Versioned[ShownT]:
        shown = self._kind.show(found, defined.entry)
        is_settled = self._kind.is_settled(found, defined)
        return Versioned(shown, defined.offset, is_new, is_settled)

    def _called(self, entry_id: str) -> str:
        return f"{self._kind.name} {entry_id}"
