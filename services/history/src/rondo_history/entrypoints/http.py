"""The internal query API. For Rondo's own services: who may ask is for them to check."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, FastAPI, Path, Query

from rondo_common.conversation import Message, Value
from rondo_common.ids import ID_PATTERN, ConversationId, WorkspaceId
from rondo_common.problems import Problem, answer_with_problems
from rondo_history.domain.assignments import Assignments
from rondo_history.domain.transcript import Transcript
from rondo_history.handlers import MessagePage, read_assignments, read_messages, read_transcript
from rondo_history.ports import Archive

MESSAGES_PER_PAGE = 100
MESSAGES_PER_PAGE_MAX = 500
LOG_POSITION_MAX = 2**63 - 1
BEFORE_THE_LOG = -1
CATCH_UP_S_MAX = 2.0
CATCH_UP_POLL_S = 0.03

WorkspaceInPath = Annotated[WorkspaceId, Path(pattern=ID_PATTERN)]
ConversationInPath = Annotated[ConversationId, Path(pattern=ID_PATTERN)]


KnownOffset = Annotated[
    int,
    Query(ge=BEFORE_THE_LOG, le=LOG_POSITION_MAX, description="Wait a moment for this log offset"),
]


class MessageBody(Message):
    """A message, and whose it is."""

    conversation_id: ConversationId


class MessageList(Value):
    """One page of messages; ``next_cursor`` is the ``after`` of the next one."""

    data: list[MessageBody]
    next_cursor: str | None


def history_app(archive: Archive, health: APIRouter) -> FastAPI:
    """The application that answers from ``archive``."""
    app = FastAPI(title="Rondo history", docs_url=None, redoc_url=None, openapi_url=None)
    answer_with_problems(app)
    app.include_router(health)
    app.include_router(_conversations(archive))
    return app


def _conversations(archive: Archive) -> APIRouter:
    routes = APIRouter(prefix="/internal/v1/workspaces/{workspace_id}/conversations/{conversation_id}")

    @routes.get("/transcript", summary="The whole conversation, in order")
    async def transcript(
        workspace_id: WorkspaceInPath,
        conversation_id: ConversationInPath,
        at_least: KnownOffset = BEFORE_THE_LOG,
    ) -> Transcript:
        await _let_catch_up(archive, workspace_id, conversation_id, at_least)
        found = await read_transcript(workspace_id, conversation_id, archive)
        if found is None:
            raise _not_known(conversation_id)
        return found

    @routes.get("/assignments", summary="Every attempt to connect it, in order, and why")
    async def assignments(
        workspace_id: WorkspaceInPath,
        conversation_id: ConversationInPath,
        at_least: KnownOffset = BEFORE_THE_LOG,
    ) -> Assignments:
        await _let_catch_up(archive, workspace_id, conversation_id, at_least)
        found = await read_assignments(workspace_id, conversation_id, archive)
        if found is None:
            raise _not_known(conversation_id)
        return found

    @routes.get("/messages", summary="What was said, in order")
    async def messages(
        workspace_id: WorkspaceInPath,
        conversation_id: ConversationInPath,
        after: Annotated[int, Query(ge=BEFORE_THE_LOG, le=LOG_POSITION_MAX)] = BEFORE_THE_LOG,
        limit: Annotated[int, Query(ge=1, le=MESSAGES_PER_PAGE_MAX)] = MESSAGES_PER_PAGE,
        at_least: KnownOffset = BEFORE_THE_LOG,
    ) -> MessageList:
        await _let_catch_up(archive, workspace_id, conversation_id, at_least)
        page = await read_messages(workspace_id, conversation_id, archive, after=after, limit=limit)
        return _message_list(conversation_id, page)

    return routes


async def _let_catch_up(
    archive: Archive, workspace_id: WorkspaceId, conversation_id: ConversationId, at_least: int
) -> None:
    """Wait until the conversation is kept as far as the caller knows of it, but only for a moment."""
    if at_least <= BEFORE_THE_LOG:
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CATCH_UP_S_MAX):
            while True:
                if await archive.has_reached(workspace_id, conversation_id, at_least):
                    return
                # Rows may come from another process, which rings no bell.
                await asyncio.sleep(CATCH_UP_POLL_S)


def _not_known(conversation_id: ConversationId) -> Problem:
    detail = f"Nothing is known of {conversation_id} yet; it may still be on its way here."
    return Problem(HTTPStatus.NOT_FOUND, "conversation-not-found", detail)


def _message_list(conversation_id: ConversationId, page: MessagePage) -> MessageList:
    data = [MessageBody(conversation_id=conversation_id, **dict(each)) for each in page.messages]
    return MessageList(data=data, next_cursor=None if page.next_after is None else str(page.next_after))
