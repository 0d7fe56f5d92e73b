"""The route to lists of conversations."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, AwareDatetime, StringConstraints

from rondo_common.conversation import Status
from rondo_common.ids import ID_PATTERN, AgentId, VisitorId
from rondo_gateway.domain.limits import QUERY_LENGTH_MAX, storable
from rondo_gateway.domain.listing import Wanted
from rondo_gateway.domain.representation import ConversationList
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented
from rondo_gateway.entrypoints.parameters import LIMIT_DEFAULT, Cursor, Limit

StatusWanted = Annotated[Status | None, Query(description="Conversations that have this status now")]
AgentWanted = Annotated[
    AgentId | None,
    Query(pattern=ID_PATTERN, description="Those this agent has or had, or is rung for now"),
]
VisitorWanted = Annotated[VisitorId | None, Query(pattern=ID_PATTERN)]
SearchText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=QUERY_LENGTH_MAX),
    AfterValidator(storable),
]
TextWanted = Annotated[
    SearchText | None,
    Query(
        description=(
            "Those with a message that holds all of these words, or pieces of words, whatever their "
            "case and accents, in any language"
        )
    ),
]
From = Annotated[AwareDatetime | None, Query(alias="from", description="Requested then or later")]
Before = Annotated[AwareDatetime | None, Query(alias="to", description="Requested before then")]


def conversation_list_routes() -> APIRouter:
    """The route of backends, agents and visitors to their conversations."""
    routes = APIRouter(tags=["conversations"])
    routes.add_api_route(
        "/v1/conversations",
        list_conversations,
        methods=["GET"],
        response_model=ConversationList,
        **documented("apiKey", "agentToken", "visitorToken", problems=(422,)),
    )
    return routes


async def list_conversations(
    gateway: Gateway,
    caller: Caller,
    status: StatusWanted = None,
    agent_id: AgentWanted = None,
    visitor_id: VisitorWanted = None,
    q: TextWanted = None,
    requested_from: From = None,
    requested_before: Before = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """Conversations, newest first. An agent sees those they have or had, unless their profile lets them
    view all; a visitor sees their own. Each is shown as it is now; what was said, and a status, may take
    moments to be found by."""
    wanted = Wanted(
        limit=limit,
        status=status,
        agent_id=agent_id,
        visitor_id=visitor_id,
        query=q,
        requested_from=requested_from,
        requested_before=requested_before,
        cursor=cursor,
    )
    return json_answer(await gateway.conversation_lists.read_page(caller, wanted))
