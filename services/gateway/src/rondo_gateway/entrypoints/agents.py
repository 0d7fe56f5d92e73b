"""Routes about agents."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response

from rondo_gateway.domain.provisioning import AgentBody, AgentTokenBody
from rondo_gateway.domain.representation import Agent, AgentList, AgentToken
from rondo_gateway.entrypoints.answers import json_answer, no_content
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented, shown
from rondo_gateway.entrypoints.parameters import LIMIT_DEFAULT, AgentInPath, Cursor, Limit
from rondo_gateway.handlers.agents import VersionedAgent


def agent_routes() -> APIRouter:
    """A backend's routes to the agents of its workspace."""
    routes = APIRouter(tags=["agents"])
    put = documented("apiKey", problems=(400, 413, 415, 422))
    put["responses"][201] = shown(Agent, "The agent is new.")
    routes.add_api_route("/v1/agents/{agent_id}", put_agent, methods=["PUT"], response_model=Agent, **put)
    routes.add_api_route(
        "/v1/agents/{agent_id}",
        read_agent,
        methods=["GET"],
        response_model=Agent,
        **documented("apiKey", problems=(404, 422)),
    )
    routes.add_api_route(
        "/v1/agents/{agent_id}",
        delete_agent,
        methods=["DELETE"],
        status_code=HTTPStatus.NO_CONTENT,
        **documented("apiKey", problems=(404, 422)),
    )
    routes.add_api_route(
        "/v1/agents",
        list_agents,
        methods=["GET"],
        response_model=AgentList,
        **documented("apiKey", problems=(422,)),
    )
    routes.add_api_route(
        "/v1/agents/{agent_id}/token",
        issue_token,
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        response_model=AgentToken,
        **documented("apiKey", problems=(400, 404, 413, 415, 422)),
    )
    return routes


async def put_agent(gateway: Gateway, caller: Caller, agent_id: AgentInPath, body: AgentBody) -> Response:
    """Define an agent, new (201) or anew (200). From the answer on, requests are routed by it."""
    defined = await gateway.agents.put(caller, agent_id, body)
    return _answer(defined, HTTPStatus.CREATED if defined.is_new else HTTPStatus.OK)


async def read_agent(gateway: Gateway, caller: Caller, agent_id: AgentInPath) -> Response:
    """One agent."""
    return _answer(await gateway.agents.read(caller, agent_id), HTTPStatus.OK)


async def list_agents(
    gateway: Gateway, caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """The workspace's agents, by id."""
    agents, following = await gateway.agents.list_page(caller, limit, cursor)
    return json_answer(AgentList(data=agents, next_cursor=following))


async def delete_agent(gateway: Gateway, caller: Caller, agent_id: AgentInPath) -> Response:
    """Delete an agent: nothing is offered to them any more, and their tokens open nothing."""
    await gateway.agents.delete(caller, agent_id)
    return no_content()


async def issue_token(
    gateway: Gateway, caller: Caller, agent_id: AgentInPath, body: AgentTokenBody | None = None
) -> Response:
    """A token with which the agent may call."""
    ttl_s = (body or AgentTokenBody()).ttl_s
    token = await gateway.agents.issue_token(caller, agent_id, ttl_s)
    return json_answer(token, HTTPStatus.CREATED)


def _answer(defined: VersionedAgent, status: HTTPStatus) -> Response:
    return json_answer(defined.agent, status, {"ETag": f'"{defined.version}"'})
