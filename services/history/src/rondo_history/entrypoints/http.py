"""The internal query API. For Rondo's own services: who may ask is for them to check."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query

from rondo_common.conversation import Message, Value
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_common.problems import Problem, answer_with_problems
from rondo_common.traces import FASTAPI_TELEMETRY
from rondo_history.domain.assignments import Assignments
from rondo_history.domain.transcript import Transcript
from rondo_history.entrypoints.catching_up import (
    BEFORE_THE_LOG,
    LOG_POSITION_MAX,
    KnownOffset,
    wait_until,
)
from rondo_history.entrypoints.lists import list_routes
from rondo_history.entrypoints.parameters import ConversationInPath, WorkspaceInPath
from rondo_history.handlers import (
    MessagePage,
    read_assignments,
    read_latest_messages,
    read_messages,
    read_transcript,
)
from rondo_history.ports import Archive

MESSAGES_PER_PAGE = 100
MESSAGES_PER_PAGE_MAX = 500
TRANSCRIPT_MESSAGES_MAX = 1_000
"""In one part of a transcript."""


class MessageBody(Message):
    """A message, whose it is, and the id that its author's page gave it."""

    conversation_id: ConversationId
    client_message_id: str


class TranscriptBody(Transcript):
    """A part of a transcript; ``next_after`` is the ``after`` of the next one."""

    next_after: int | None


class MessageList(Value):
    """One page of messages; ``next_cursor`` is the ``after`` of the next one."""

    data: list[MessageBody]
    next_cursor: str | None


def history_app(archive: Archive, health: APIRouter, *more: APIRouter) -> FastAPI:
    """The application that answers from ``archive``, and ``more`` questions."""
    app = FastAPI(
        title="Rondo history", docs_url=None, redoc_url=None, openapi_url=None, telemetry=FASTAPI_TELEMETRY
    )
    answer_with_problems(app)
    app.include_router(health)
    app.include_router(list_routes(archive))
    app.include_router(_conversations(archive))
    for routes in more:
        app.include_router(routes)
    return app


def _conversations(archive: Archive) -> APIRouter:
    routes = APIRouter(prefix="/internal/v1/workspaces/{workspace_id}/conversations/{conversation_id}")

    @routes.get("/transcript", summary="The conversation, in order, with what happened")
    async def transcript(
        workspace_id: WorkspaceInPath,
        conversation_id: ConversationInPath,
        after: Annotated[int | None, Query(ge=BEFORE_THE_LOG, le=LOG_POSITION_MAX)] = None,
        limit: Annotated[int, Query(ge=1, le=TRANSCRIPT_MESSAGES_MAX)] = TRANSCRIPT_MESSAGES_MAX,
        at_least: KnownOffset = BEFORE_THE_LOG,
    ) -> TranscriptBody:
        await _let_catch_up(archive, workspace_id, conversation_id, at_least)
        found = await read_transcript(workspace_id, conversation_id, archive, after=after, limit=limit)
        if found is None:
            raise _not_known(conversation_id)
        return TranscriptBody(**dict(found.transcript), next_after=found.next_after)

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

    @routes.get("/messages/latest", summary="What was said, the last first")
    async def latest_messages(
        workspace_id: WorkspaceInPath,
        conversation_id: ConversationInPath,
        before: Annotated[int, Query(ge=BEFORE_THE_LOG, le=LOG_POSITION_MAX)] = LOG_POSITION_MAX,
        limit: Annotated[int, Query(ge=1, le=MESSAGES_PER_PAGE_MAX)] = MESSAGES_PER_PAGE,
        at_least: KnownOffset = BEFORE_THE_LOG,
    ) -> MessageList:
        await _let_catch_up(archive, workspace_id, conversation_id, at_least)
        page = await read_latest_messages(
            workspace_id, conversation_id, archive, before=before, limit=limit
        )
        return _message_list(conversation_id, page)

    return routes


async def _let_catch_up(
    archive: Archive, workspace_id: WorkspaceId, conversation_id: ConversationId, at_least: int
) -> None:
    """Wait until the conversation is kept as far as the caller knows of it."""
    if at_least > BEFORE_THE_LOG:
        await wait_until(lambda: archive.has_reached(workspace_id, conversation_id, at_least))


def _not_known(conversation_id: ConversationId) -> Problem:
    detail = f"Nothing is known of {conversation_id} yet; it may still be on its way here."
    return Problem(HTTPStatus.NOT_FOUND, "conversation-not-found", detail)


def _message_list(conversation_id: ConversationId, page: MessagePage) -> MessageList:
    data = [
        MessageBody(
            conversation_id=conversation_id, client_message_id=each.client_message_id, **dict(each.message)
        )
        for each in page.messages
    ]
    return MessageList(data=data, next_cursor=None if page.next_after is None else str(page.next_after))
