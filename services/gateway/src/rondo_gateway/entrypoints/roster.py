"""Route to who is there."""

from __future__ import annotations

from fastapi import APIRouter, Response

from rondo_gateway.domain.roster import Roster
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented


def roster_routes() -> APIRouter:
    """The roster, for the backend and for agents."""
    routes = APIRouter(tags=["agents"])
    routes.add_api_route(
        "/v1/roster",
        read_roster,
        methods=["GET"],
        response_model=Roster,
        **documented("apiKey", "agentToken"),
    )
    return routes


async def read_roster(gateway: Gateway, caller: Caller) -> Response:
    """Everybody who answers chats, by id: whether they are available and present, and how much they have
    to do. For agents with `live_chat_view_my`, `live_chat_view_all`, `analytics_view` or `admin_agents`."""
    return json_answer(await gateway.rosters.read(caller))
