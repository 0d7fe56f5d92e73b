"""The internal routes to lists of conversations, and to one at a glance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, StringConstraints

from rondo_common.conversation import Status, Value
from rondo_common.ids import ID_PATTERN, AgentId, ConversationId, VisitorId
from rondo_common.kafka.partitioning import partition_of
from rondo_common.problems import Problem
from rondo_common.topics import CHAT_REQUESTS
from rondo_history.domain.fact import Place
from rondo_history.domain.listing import Filter, KeptConversation, Position
from rondo_history.entrypoints.catching_up import BEFORE_THE_LOG, LOG_POSITION_MAX, KnownOffset, wait_until
from rondo_history.entrypoints.parameters import ConversationInPath, WorkspaceInPath
from rondo_history.handlers import list_conversations
from rondo_history.ports import Archive

CONVERSATIONS_PER_PAGE = 50
CONVERSATIONS_PER_PAGE_MAX = 200
QUERY_LENGTH_MAX = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

AgentInQuery = Annotated[AgentId | None, Query(pattern=ID_PATTERN)]
VisitorInQuery = Annotated[VisitorId | None, Query(pattern=ID_PATTERN)]
Cursor = Annotated[str | None, Query(pattern=r"^[0-9]{1,17}-[A-Za-z0-9_-]{1,64}$")]
SearchText = Annotated[str, StringConstraints(max_length=QUERY_LENGTH_MAX, pattern=r"^[^\x00]*$")]


class ConversationList(Value):
    """One page of conversations, newest first; ``next_cursor`` is the ``after`` of the next one."""

    data: list[KeptConversation]
    next_cursor: str | None


def list_routes(archive: Archive) -> APIRouter:
    """What is asked of many conversations, and one at a glance."""
    routes = APIRouter(prefix="/internal/v1/workspaces/{workspace_id}/conversations")

    @routes.get("", summary="Conversations, newest first")
    async def conversations(
        workspace_id: WorkspaceInPath,
        status: Status | None = None,
        agent_id: AgentInQuery = None,
        seen_by: AgentInQuery = None,
        visitor_id: VisitorInQuery = None,
        q: SearchText | None = None,
        requested_from: AwareDatetime | None = None,
        requested_before: AwareDatetime | None = None,
        after: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=CONVERSATIONS_PER_PAGE_MAX)] = CONVERSATIONS_PER_PAGE,
        requests_at_least: Annotated[
            int, Query(ge=BEFORE_THE_LOG, le=LOG_POSITION_MAX, description="As KnownOffset, of requests")
        ] = BEFORE_THE_LOG,
    ) -> ConversationList:
        wanted = Filter(
            status=status,
            agent_id=agent_id,
            seen_by=seen_by,
            visitor_id=visitor_id,
            query=q,
            requested_from=requested_from,
            requested_before=requested_before,
            after=None if after is None else _position(after),
        )
        if requests_at_least > BEFORE_THE_LOG:
            partition = partition_of(CHAT_REQUESTS, workspace_id, workspace_id)
            place = Place(CHAT_REQUESTS.name, partition, requests_at_least)
            await wait_until(lambda: archive.has_read(place))
        page = await list_conversations(workspace_id, wanted, limit, archive)
        following = None if page.next_after is None else _cursor(page.next_after)
        return ConversationList(data=list(page.conversations), next_cursor=following)

    @routes.get("/{conversation_id}", summary="A conversation at a glance")
    async def conversation(
        workspace_id: WorkspaceInPath,
        conversation_id: ConversationInPath,
        at_least: KnownOffset = BEFORE_THE_LOG,
    ) -> KeptConversation:
        if at_least > BEFORE_THE_LOG:
            await wait_until(lambda: archive.has_reached(workspace_id, conversation_id, at_least))
        found = await archive.find(workspace_id, conversation_id)
        if found is None:
            detail = f"Nothing is known of {conversation_id} yet; it may still be on its way here."
            raise Problem(HTTPStatus.NOT_FOUND, "conversation-not-found", detail)
        return found

    return routes


def _cursor(position: Position) -> str:
    return f"{(position.requested_at - _EPOCH) // _MICROSECOND}-{position.conversation_id}"


def _position(cursor: str) -> Position:
    microseconds, _, conversation_id = cursor.partition("-")
    return Position(_EPOCH + int(microseconds) * _MICROSECOND, ConversationId(conversation_id))
