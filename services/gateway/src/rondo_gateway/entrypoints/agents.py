"""Routes to agents at work."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response

from rondo_common.directory.entries import Notifications
from rondo_gateway.domain.provisioning import AgentTokenBody, NotificationsPatch
from rondo_gateway.domain.representation import AgentToken, UnreadCounts
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented
from rondo_gateway.entrypoints.parameters import AgentInPath


def agent_routes() -> APIRouter:
    """What there is to agents, besides provisioning them."""
    routes = APIRouter(tags=["agents"])
    routes.add_api_route(
        "/v1/agents/{agent_id}/token",
        issue_token,
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        response_model=AgentToken,
        **documented("apiKey", problems=(400, 404, 413, 415, 422)),
    )
    routes.add_api_route(
        "/v1/agents/{agent_id}/unread",
        count_unread,
        methods=["GET"],
        response_model=UnreadCounts,
        **documented("apiKey", "agentToken", problems=(404, 422)),
    )
    routes.add_api_route(
        "/v1/agents/{agent_id}/notifications",
        read_notifications,
        methods=["GET"],
        response_model=Notifications,
        **documented("apiKey", "agentToken", problems=(404, 422)),
    )
    routes.add_api_route(
        "/v1/agents/{agent_id}/notifications",
        change_notifications,
        methods=["PATCH"],
        response_model=Notifications,
        **documented("apiKey", "agentToken", problems=(400, 404, 413, 415, 422)),
    )
    return routes


async def count_unread(gateway: Gateway, caller: Caller, agent_id: AgentInPath) -> Response:
    """How many of the visitor's messages are unread in each of the agent's active conversations, the one
    asked for first at the front. `me` stands for the calling agent; others need `live_chat_view_all`."""
    return json_answer(await gateway.desks.unread(caller, agent_id))


async def read_notifications(gateway: Gateway, caller: Caller, agent_id: AgentInPath) -> Response:
    """How the agent wants to be told of chats. `me` stands for the calling agent; others need
    `admin_agents`."""
    return json_answer(await gateway.notification_preferences.read(caller, agent_id))


async def change_notifications(
    gateway: Gateway, caller: Caller, agent_id: AgentInPath, body: NotificationsPatch
) -> Response:
    """Change how the agent wants to be told of chats; what is left out stays."""
    return json_answer(await gateway.notification_preferences.change(caller, agent_id, body))


async def issue_token(
    gateway: Gateway, caller: Caller, agent_id: AgentInPath, body: AgentTokenBody | None = None
) -> Response:
    """A token with which the agent may call."""
    ttl_s = (body or AgentTokenBody()).ttl_s
    token = await gateway.agent_tokens.issue(caller, agent_id, ttl_s)
    return json_answer(token, HTTPStatus.CREATED)
