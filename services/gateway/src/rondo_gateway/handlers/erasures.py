"""Erasing a visitor's personal data."""

from __future__ import annotations

from collections.abc import Callable

from rondo_common.clock import Clock
from rondo_common.envelope import Envelope
from rondo_common.events import VisitorErased
from rondo_common.ids import EventId, VisitorId
from rondo_common.permissions import Permission
from rondo_gateway.domain.limits import PAGE_SIZE_MAX
from rondo_gateway.domain.listing import Wanted
from rondo_gateway.domain.permissions import require_permission, require_staff
from rondo_gateway.domain.principals import AgentCaller, Backend, Principal
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.handlers.conversations import ConversationCommands
from rondo_gateway.handlers.source import SOURCE
from rondo_gateway.ports import Conversations, DirectoryView, EventLog, History


class Erasures:
    """Has visitors erased."""

    def __init__(
        self,
        directory: DirectoryView,
        conversations: Conversations,
        history: History,
        commands: ConversationCommands,
        log: EventLog,
        clock: Clock,
        new_event_id: Callable[[], EventId],
    ) -> None:
        self._directory = directory
        self._conversations = conversations
        self._history = history
        self._commands = commands
        self._log = log
        self._clock = clock
        self._new_event_id = new_event_id

    async def erase(self, caller: Principal, visitor_id: VisitorId) -> None:
        """Close the visitor's open conversations, then have all of theirs erased. Returns when the log
        has that. A visitor whom nobody knows is erased just the same.

        Raises:
            NotPermitted: the caller is no backend, and their profile does not permit it.
            Unavailable: not all of their conversations are closed; repeat it.
        """
        workspace_id = require_staff(caller).workspace_id
        found = self._directory.find(workspace_id)
        if found is None:
            raise NotFound("workspace", workspace_id)
        staff = require_permission(caller, found, Permission.ADMIN_SECURITY)
        await self._close_all(staff, visitor_id)
        # On the topic of requests: whoever reads it has read all that the visitor asked for before.
        event = VisitorErased(visitor_id=visitor_id, by=staff.party())
        await self._log.publish(Envelope(self._new_event_id(), SOURCE, self._clock(), workspace_id, event))

    async def _close_all(self, staff: Backend | AgentCaller, visitor_id: VisitorId) -> None:
        workspace_id = staff.workspace_id
        newest = await self._conversations.newest_request(workspace_id)
        cursor: str | None = None
        while True:
            wanted = Wanted(PAGE_SIZE_MAX, visitor_id=visitor_id, cursor=cursor)
            page = await self._history.conversations(workspace_id, wanted, requests_at_least=newest)
            live = await self._conversations.find_many(workspace_id, [each.id for each in page.data])
            for view in live.values():
                if not view.status.is_final:
                    await self._commands.close(staff, view)
                if view.rating is not None:
                    await self._conversations.forget_rating(workspace_id, view.id)
            if page.next_cursor is None:
                return
            cursor = page.next_cursor
