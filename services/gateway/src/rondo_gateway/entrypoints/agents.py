"""Routes to agents at work."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response

from rondo_gateway.domain.provisioning import AgentTokenBody
from rondo_gateway.domain.representation import AgentToken
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented
from rondo_gateway.entrypoints.parameters import AgentInPath


def agent_routes() -> APIRouter:
    """A backend's routes to the agents of its workspace, besides provisioning them."""
    routes = APIRouter(tags=["agents"])
    routes.add_api_route(
        "/v1/agents/{agent_id}/token",
        issue_token,
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        response_model=AgentToken,
        **documented("apiKey", problems=(400, 404, 413, 415, 422)),
    )
    return routes


async def issue_token(
    gateway: Gateway, caller: Caller, agent_id: AgentInPath, body: AgentTokenBody | None = None
) -> Response:
    """A token with which the agent may call."""
    ttl_s = (body or AgentTokenBody()).ttl_s
    token = await gateway.agent_tokens.issue(caller, agent_id, ttl_s)
    return json_answer(token, HTTPStatus.CREATED)
