"""Routes to an agent's alerts, and to the browsers in which they are told."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from rondo_common.alerts import AlertRecord, AlertState
from rondo_common.ids import ID_PATTERN, AlertId, PushSubscriptionId
from rondo_gateway.domain.push import PushKey, PushSubscription, PushSubscriptionBody
from rondo_gateway.entrypoints.answers import json_answer, no_content
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented, shown
from rondo_gateway.entrypoints.parameters import LIMIT_DEFAULT, AgentInPath, Limit
from rondo_gateway.handlers.alerts import AlertList

AlertInPath = Annotated[AlertId, Path(pattern=ID_PATTERN)]
SubscriptionInPath = Annotated[PushSubscriptionId, Path(pattern=ID_PATTERN)]
State = Annotated[AlertState | None, Query(description="Only those in this state")]


def alert_routes() -> APIRouter:
    """Alerts and push subscriptions, for the agent, the backend and who administers agents."""
    routes = APIRouter(tags=["alerts"])
    callers = ("apiKey", "agentToken")
    routes.add_api_route(
        "/v1/agents/{agent_id}/alerts",
        list_alerts,
        methods=["GET"],
        response_model=AlertList,
        **documented(*callers, problems=(404, 422)),
    )
    acknowledging = documented(*callers, problems=(404, 422))
    late = shown(AlertRecord, "Taken; the notifier has not put it down yet.")
    acknowledging["responses"] = {**acknowledging["responses"], HTTPStatus.ACCEPTED: late}
    routes.add_api_route(
        "/v1/agents/{agent_id}/alerts/{alert_id}/acknowledge",
        acknowledge_alert,
        methods=["POST"],
        response_model=AlertRecord,
        **acknowledging,
    )
    routes.add_api_route(
        "/v1/push_key",
        read_push_key,
        methods=["GET"],
        response_model=PushKey,
        **documented(*callers, problems=(409,)),
    )
    routes.add_api_route(
        "/v1/agents/{agent_id}/push_subscriptions",
        subscribe,
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        response_model=PushSubscription,
        **documented(*callers, problems=(400, 404, 409, 413, 415, 422)),
    )
    routes.add_api_route(
        "/v1/agents/{agent_id}/push_subscriptions/{subscription_id}",
        unsubscribe,
        methods=["DELETE"],
        status_code=HTTPStatus.NO_CONTENT,
        **documented(*callers, problems=(404, 422)),
    )
    return routes


async def list_alerts(
    gateway: Gateway,
    caller: Caller,
    agent_id: AgentInPath,
    state: State = None,
    limit: Limit = LIMIT_DEFAULT,
) -> Response:
    """The agent's alerts of the last day, the newest first, each with what became of it on its channels.

    `me` stands for the calling agent. An agent needs `admin_agents` for others.
    """
    return json_answer(await gateway.alerts.list(caller, agent_id, state, limit))


async def acknowledge_alert(
    gateway: Gateway, caller: Caller, agent_id: AgentInPath, alert_id: AlertInPath
) -> Response:
    """Say that the alert was seen: nobody else is turned to. The offer stays open.

    Answering the offer acknowledges it too. One that is over stays as it is.
    """
    alert, is_done = await gateway.alerts.acknowledge(caller, agent_id, alert_id)
    return json_answer(alert, HTTPStatus.OK if is_done else HTTPStatus.ACCEPTED)


async def read_push_key(gateway: Gateway, caller: Caller) -> Response:
    """The key that a browser subscribes with: its `applicationServerKey`. 409 where nobody pushes."""
    return json_answer(gateway.push_subscriptions.key(caller))


async def subscribe(
    gateway: Gateway, caller: Caller, agent_id: AgentInPath, body: PushSubscriptionBody
) -> Response:
    """Have the agent told of chats in a browser, by what its `PushManager` gave.

    The same browser again is the same subscription. Of more than 20, the oldest goes. One that its push
    service does not know any more (404, 410) is removed by itself.
    """
    return json_answer(
        await gateway.push_subscriptions.subscribe(caller, agent_id, body), HTTPStatus.CREATED
    )


async def unsubscribe(
    gateway: Gateway, caller: Caller, agent_id: AgentInPath, subscription_id: SubscriptionInPath
) -> Response:
    """Tell the agent nothing more in that browser."""
    await gateway.push_subscriptions.unsubscribe(caller, agent_id, subscription_id)
    return no_content()
