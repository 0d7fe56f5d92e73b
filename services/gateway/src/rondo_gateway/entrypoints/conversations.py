"""Routes about conversations: asking for one, reading it, and the commands on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Response

from rondo_common.conversation import Rating
from rondo_gateway.domain.assignments import Assignments
from rondo_gateway.domain.chat_request import ChatRequestBody
from rondo_gateway.domain.limits import CLIENT_ID_LENGTH_MAX
from rondo_gateway.domain.rating import RatingBody
from rondo_gateway.domain.representation import Conversation, RequestedConversation, conversation_of
from rondo_gateway.domain.transfer import TransferBody
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented, shown
from rondo_gateway.entrypoints.parameters import ConversationInPath
from rondo_gateway.handlers.conversations import Decided

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=CLIENT_ID_LENGTH_MAX,
        description="The same key and body within 24 hours: the same conversation",
    ),
]


def conversation_routes() -> APIRouter:
    """The routes of backends, visitors and agents to conversations."""
    routes = APIRouter(tags=["conversations"])
    routes.add_api_route(
        "/v1/conversations",
        ask_for_conversation,
        methods=["POST"],
        status_code=HTTPStatus.ACCEPTED,
        response_model=RequestedConversation,
        **documented("apiKey", "visitorToken", problems=(400, 413, 415, 422, 429)),
    )
    routes.add_api_route(
        "/v1/conversations/{conversation_id}",
        read_conversation,
        methods=["GET"],
        response_model=Conversation,
        **documented("apiKey", "agentToken", "visitorToken", problems=(404, 422)),
    )
    routes.add_api_route(
        "/v1/conversations/{conversation_id}/assignments",
        read_assignments,
        methods=["GET"],
        response_model=Assignments,
        **documented("apiKey", "agentToken", problems=(404, 422)),
    )
    rating = documented("apiKey", "visitorToken", problems=(400, 404, 409, 413, 415, 422, 429))
    rating["responses"][200] = shown(Rating, "It was rated before: this rating stands instead.")
    routes.add_api_route(
        "/v1/conversations/{conversation_id}/rating",
        rate_conversation,
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        response_model=Rating,
        **rating,
    )
    commands: dict[str, tuple[Callable[..., Awaitable[Response]], tuple[str, ...]]] = {
        "accept": (accept_conversation, ("agentToken",)),
        "decline": (decline_conversation, ("agentToken",)),
        "take": (take_conversation, ("agentToken",)),
        "transfer": (transfer_conversation, ("agentToken",)),
        "withdraw": (withdraw_conversation, ("apiKey", "visitorToken")),
        "end": (end_conversation, ("apiKey", "agentToken", "visitorToken")),
    }
    for name, (command, callers) in commands.items():
        with_body = (400, 413, 415) if name == "transfer" else ()
        extra = documented(*callers, problems=(404, 409, 422, *with_body))
        extra["responses"][202] = {
            "description": "The router has not decided within 5 s; look at `Location` later."
        }
        routes.add_api_route(
            f"/v1/conversations/{{conversation_id}}/{name}",
            command,
            methods=["POST"],
            response_model=Conversation,
            **extra,
        )
    return routes


async def ask_for_conversation(
    gateway: Gateway, caller: Caller, body: ChatRequestBody, idempotency_key: IdempotencyKey = None
) -> Response:
    """Ask for a conversation. Accepted means: the request is in the log and will have an outcome.

    In a visitor session of the widget, the visitor comes from the session: `visitor` may add to what the
    website signed of them, never change it.
    """
    asked = await gateway.chat_requests.ask(caller, body, idempotency_key)
    conversation = conversation_of(asked.view, asked.caller)
    answer = RequestedConversation(**dict(conversation), visitor_token=asked.visitor_token)
    headers = {"Location": _location(asked.view.id)}
    if asked.is_replayed:
        headers["Idempotency-Replayed"] = "true"
    return json_answer(answer, HTTPStatus.ACCEPTED, headers)


async def read_conversation(
    gateway: Gateway, caller: Caller, conversation_id: ConversationInPath
) -> Response:
    """One conversation, for its parties and the website's backend."""
    return json_answer(await gateway.conversations.read(caller, conversation_id))


async def accept_conversation(
    gateway: Gateway, caller: Caller, conversation_id: ConversationInPath
) -> Response:
    """Take the offer. Again from the agent who won: 200, and nothing happens."""
    return _answer(await gateway.conversations.accept(caller, conversation_id))


async def decline_conversation(
    gateway: Gateway, caller: Caller, conversation_id: ConversationInPath
) -> Response:
    """Refuse the offer."""
    return _answer(await gateway.conversations.decline(caller, conversation_id))


async def take_conversation(
    gateway: Gateway, caller: Caller, conversation_id: ConversationInPath
) -> Response:
    """Take a conversation out of the queue, with the permission `live_chat_view_all`, whoever's turn it
    would be: it is active with the caller then. Again: 200, and nothing happens.

    `conversation-not-queued` (409) when it went to somebody else at that moment, `agent-at-capacity` and
    `agent-may-not-chat` as they say.
    """
    return _answer(await gateway.conversations.take(caller, conversation_id))


async def transfer_conversation(
    gateway: Gateway, caller: Caller, conversation_id: ConversationInPath, body: TransferBody
) -> Response:
    """Hand an active conversation over to another agent or a team. It is offered to them with all that
    was said, and stays with its agent until somebody accepts it, or for good when nobody does."""
    return _answer(await gateway.conversations.transfer(caller, conversation_id, body))


async def read_assignments(
    gateway: Gateway, caller: Caller, conversation_id: ConversationInPath
) -> Response:
    """Every attempt to connect the conversation, in order, and why this agent and no other: for the
    website's backend, the agents who have part in it and those who see all conversations."""
    return json_answer(await gateway.assignments.read(caller, conversation_id))


async def withdraw_conversation(
    gateway: Gateway, caller: Caller, conversation_id: ConversationInPath
) -> Response:
    """The visitor no longer waits. Before the conversation is active."""
    return _answer(await gateway.conversations.withdraw(caller, conversation_id))


async def end_conversation(
    gateway: Gateway, caller: Caller, conversation_id: ConversationInPath
) -> Response:
    """End an active conversation. Again: 200, and nothing happens."""
    return _answer(await gateway.conversations.end(caller, conversation_id))


async def rate_conversation(
    gateway: Gateway, caller: Caller, conversation_id: ConversationInPath, body: RatingBody
) -> Response:
    """Say how good a conversation that has ended was, as its visitor. Again: that one stands instead."""
    rated = await gateway.ratings.rate(caller, conversation_id, body)
    return json_answer(rated.rating, HTTPStatus.CREATED if rated.is_new else HTTPStatus.OK)


def _answer(decided: Decided) -> Response:
    if decided.conversation is not None:
        return json_answer(decided.conversation)
    location = _location(decided.conversation_id)
    return Response(status_code=HTTPStatus.ACCEPTED, headers={"Location": location})


def _location(conversation_id: str) -> str:
    return f"/v1/conversations/{conversation_id}"
