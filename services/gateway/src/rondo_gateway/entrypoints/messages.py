"""Routes about what was said: messages and transcripts."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from rondo_common.availability import TimeZone
from rondo_gateway.domain.message import MessageBody, Order
from rondo_gateway.domain.representation import Message, MessageList
from rondo_gateway.domain.transcript import Transcript, TranscriptEmail, as_text
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented, shown
from rondo_gateway.entrypoints.negotiation import prefers_text
from rondo_gateway.entrypoints.parameters import LIMIT_DEFAULT, ConversationInPath, Cursor, Limit

PARTIES = ("apiKey", "agentToken", "visitorToken")


def message_routes() -> APIRouter:
    """The parties' routes to what was said."""
    routes = APIRouter(tags=["messages"])
    post = documented(*PARTIES, problems=(400, 404, 409, 413, 415, 422, 429))
    post["responses"][200] = shown(Message, "This `client_message_id` was posted before: that message.")
    routes.add_api_route(
        "/v1/conversations/{conversation_id}/messages",
        post_message,
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        response_model=Message,
        **post,
    )
    routes.add_api_route(
        "/v1/conversations/{conversation_id}/messages",
        list_messages,
        methods=["GET"],
        response_model=MessageList,
        **documented(*PARTIES, problems=(404, 422)),
    )
    transcript = documented(*PARTIES, problems=(404, 422))
    transcript["responses"][200] = {
        "description": "The whole conversation, in order.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
    routes.add_api_route(
        "/v1/conversations/{conversation_id}/transcript",
        read_transcript,
        methods=["GET"],
        response_model=Transcript,
        **transcript,
    )
    routes.add_api_route(
        "/v1/conversations/{conversation_id}/transcript/email",
        email_transcript,
        methods=["POST"],
        status_code=HTTPStatus.ACCEPTED,
        **documented(*PARTIES, problems=(400, 404, 409, 413, 415, 422, 429)),
    )
    return routes


async def post_message(
    gateway: Gateway, caller: Caller, conversation_id: ConversationInPath, body: MessageBody
) -> Response:
    """Say something in an active conversation. With an API key, for the visitor."""
    posted = await gateway.messages.post(caller, conversation_id, body)
    return json_answer(posted.message, HTTPStatus.CREATED if posted.is_new else HTTPStatus.OK)


async def list_messages(
    gateway: Gateway,
    caller: Caller,
    conversation_id: ConversationInPath,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    order: Annotated[Order, Query(description="Where to begin")] = "oldest_first",
) -> Response:
    """The messages, in the order they were said, or from the last one on: with `newest_first`, each page
    goes further back. May lag behind the live stream by moments."""
    return json_answer(await gateway.messages.read_page(caller, conversation_id, limit, cursor, order))


async def email_transcript(
    gateway: Gateway, caller: Caller, conversation_id: ConversationInPath, body: TranscriptEmail
) -> Response:
    """Have the transcript sent by email, with all that was said so far: at most 5 times a day for each
    conversation. `mail-not-configured` (409) where no mail server is."""
    await gateway.transcripts.email(caller, conversation_id, body.to)
    return Response(status_code=HTTPStatus.ACCEPTED)


async def read_transcript(
    gateway: Gateway,
    caller: Caller,
    conversation_id: ConversationInPath,
    accept: Annotated[str, Header()] = "*/*",
    download: Annotated[bool, Query(description="As a file")] = False,
    time_zone: Annotated[
        TimeZone | None, Query(description="The reader's (IANA); else the workspace's")
    ] = None,
) -> Response:
    """The whole conversation, in order, with what happened between the messages. The text tells times as
    they are in the reader's time zone; JSON names the zone, and tells UTC."""
    transcript = await gateway.transcripts.read(caller, conversation_id, time_zone)
    as_plain_text = prefers_text(accept)
    headers = {"X-Content-Type-Options": "nosniff", "Vary": "Accept"}
    if download:
        name = f"transcript-{conversation_id}.{'txt' if as_plain_text else 'json'}"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if as_plain_text:
        return Response(as_text(transcript), headers=headers, media_type="text/plain")
    return json_answer(transcript, headers=headers)
