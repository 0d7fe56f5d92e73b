"""Routes about an agent's availability."""

from __future__ import annotations

from fastapi import APIRouter, Response

from rondo_common.availability import Availability
from rondo_gateway.domain.provisioning import AvailabilityBody
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented
from rondo_gateway.entrypoints.parameters import AgentInPath


def availability_routes() -> APIRouter:
    """The availability of an agent, for the agent, the backend and who administers agents."""
    routes = APIRouter(tags=["agents"])
    routes.add_api_route(
        "/v1/agents/{agent_id}/availability",
        read_availability,
        methods=["GET"],
        response_model=Availability,
        **documented("apiKey", "agentToken", problems=(404, 422)),
    )
    routes.add_api_route(
        "/v1/agents/{agent_id}/availability",
        switch_availability,
        methods=["PUT"],
        response_model=Availability,
        **documented("apiKey", "agentToken", problems=(400, 404, 413, 415, 422)),
    )
    return routes


async def read_availability(gateway: Gateway, caller: Caller, agent_id: AgentInPath) -> Response:
    """Whether the agent is available, by which source, until when, and when that changes by itself.

    `me` stands for the calling agent. An agent needs `own_availability`, for others `admin_agents`.
    """
    return json_answer(await gateway.availabilities.read(caller, agent_id))


async def switch_availability(
    gateway: Gateway, caller: Caller, agent_id: AgentInPath, body: AvailabilityBody
) -> Response:
    """Switch the agent to available or not, over the schedule; null: back to the schedule.

    It holds until the next schedule block starts or, when switched to available, until midnight in the
    agent's time zone. Active chats are not touched. From the answer on, requests are routed by it.
    """
    return json_answer(await gateway.availabilities.switch(caller, agent_id, body.available))
