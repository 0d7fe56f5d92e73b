"""The route that tells what would become of a chat request."""

from __future__ import annotations

from fastapi import APIRouter, Response

from rondo_common.route_preview import RoutePreview
from rondo_gateway.domain.chat_request import ChatRequestBody
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented


def route_plan_routes() -> APIRouter:
    """The route of those who set up routing."""
    routes = APIRouter(tags=["routing"])
    routes.add_api_route(
        "/v1/route_plans",
        plan_route,
        methods=["POST"],
        response_model=RoutePreview,
        **documented("apiKey", "agentToken", problems=(400, 413, 415, 422)),
    )
    return routes


async def plan_route(gateway: Gateway, caller: Caller, body: ChatRequestBody) -> Response:
    """Who would be offered this chat request now, by which plan, and why. Nothing changes.

    For an API key, and for agents whose profile permits `admin_custom_rules` or `admin_round_robin`.
    """
    return json_answer(await gateway.route_plans.preview(caller, body))
