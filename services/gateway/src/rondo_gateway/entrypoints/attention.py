"""Routes of the parties' small signs: typing, and what was read."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response

from rondo_gateway.domain.attention import ReadBody
from rondo_gateway.entrypoints.answers import no_content
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented
from rondo_gateway.entrypoints.parameters import ConversationInPath

PARTIES = ("apiKey", "agentToken", "visitorToken")


def attention_routes() -> APIRouter:
    """The parties' routes to signs that they are there."""
    routes = APIRouter(tags=["messages"])
    routes.add_api_route(
        "/v1/conversations/{conversation_id}/typing",
        tell_typing,
        methods=["POST"],
        status_code=HTTPStatus.NO_CONTENT,
        **documented(*PARTIES, problems=(404, 409, 422)),
    )
    routes.add_api_route(
        "/v1/conversations/{conversation_id}/read",
        tell_read,
        methods=["POST"],
        status_code=HTTPStatus.NO_CONTENT,
        **documented(*PARTIES, problems=(400, 404, 409, 413, 415, 422)),
    )
    return routes


async def tell_typing(gateway: Gateway, caller: Caller, conversation_id: ConversationInPath) -> Response:
    """Let the other side see that somebody types. Send it every few seconds while they do.

    It reaches the streams that are open now, as an event `typing` without an `id`, and is kept nowhere.
    """
    await gateway.attention.typing(caller, conversation_id)
    return no_content()


async def tell_read(
    gateway: Gateway, caller: Caller, conversation_id: ConversationInPath, body: ReadBody
) -> Response:
    """Let the other side see that everything up to and with this message was read. It never goes back."""
    await gateway.attention.read(caller, conversation_id, body)
    return no_content()
