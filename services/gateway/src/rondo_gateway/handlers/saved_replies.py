"""Saved replies: provisioned like everything else, read by everybody who chats."""

from __future__ import annotations

from collections.abc import Mapping

from rondo_common.directory.defined import Defined
from rondo_common.directory.entries import Kind, SavedReplyEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.events import Event, SavedReplyDefined
from rondo_common.ids import SavedReplyId
from rondo_common.permissions import Permission
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.provisioned import SavedReply, saved_reply_of
from rondo_gateway.domain.provisioning import SavedReplyBody
from rondo_gateway.domain.refusals import Invalid
from rondo_gateway.handlers.provisioned import TabledKind


class SavedReplyKind(TabledKind[SavedReplyBody, SavedReplyEntry, SavedReply]):
    """Saved replies. A shortcut, whatever its case, stands for one of them."""

    kind = Kind.SAVED_REPLY
    name = "saved reply"
    permission = Permission.ADMIN_AGENTS
    readers = frozenset({Permission.LIVE_CHAT_VIEW_MY, Permission.LIVE_CHAT_VIEW_ALL})

    def table(self, found: WorkspaceDirectory) -> Mapping[SavedReplyId, Defined[SavedReplyEntry]]:
        """See :class:`TabledKind`."""
        return found.saved_replies

    async def define(
        self,
        caller: Principal,  # noqa: ARG002 - the kinds' common form
        found: WorkspaceDirectory,
        entry_id: str,
        body: SavedReplyBody,
    ) -> SavedReplyEntry:
        """See :class:`ProvisionedKind`."""
        shortcut = body.shortcut.casefold()
        for other_id, other in self.all(found):
            if other_id != entry_id and other.shortcut.casefold() == shortcut:
                raise Invalid("/shortcut", f"stands for the saved reply {other_id} already")
        return body.entry(SavedReplyId(entry_id))

    def event(self, entry: SavedReplyEntry) -> Event:
        """See :class:`ProvisionedKind`."""
        return SavedReplyDefined(saved_reply=entry)

    def show(self, found: WorkspaceDirectory, entry: SavedReplyEntry) -> SavedReply:  # noqa: ARG002 - the kinds' common form
        """See :class:`ProvisionedKind`."""
        return saved_reply_of(entry)
