"""Lists of conversations: from history, each shown as it is now."""

from __future__ import annotations

from rondo_common.permissions import Permission
from rondo_gateway.domain.listing import Wanted, still_wanted, visible_to
from rondo_gateway.domain.permissions import permissions_of, require_member
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.representation import ConversationList, conversation_of
from rondo_gateway.ports import Conversations, DirectoryView, History


class ConversationLists:
    """Lists conversations for those who may see them."""

    def __init__(self, directory: DirectoryView, conversations: Conversations, history: History) -> None:
        self._directory = directory
        self._conversations = conversations
        self._history = history

    async def read_page(self, caller: Principal, wanted: Wanted) -> ConversationList:
        """A page of the conversations the caller may see, newest first.

        Every request that was answered before is in it. Each conversation is shown as it is now; one
        whose status is no longer the one asked for is left out, so that a page may have fewer than its
        limit and still not be the last.
        """
        member = require_member(caller)
        found = self._directory.find(member.workspace_id)
        sees_all = found is not None and Permission.LIVE_CHAT_VIEW_ALL in permissions_of(member, found)
        visible = visible_to(member, wanted, sees_all=sees_all)
        if visible is None:
            return ConversationList(data=[], next_cursor=None)
        newest = await self._conversations.newest_request(member.workspace_id)
        page = await self._history.conversations(member.workspace_id, visible, requests_at_least=newest)
        live = await self._conversations.find_many(member.workspace_id, [each.id for each in page.data])
        views = [live.get(each.id) or each.view() for each in page.data]
        shown = [conversation_of(view, member) for view in views if still_wanted(view, wanted)]
        return ConversationList(data=shown, next_cursor=page.next_cursor)
