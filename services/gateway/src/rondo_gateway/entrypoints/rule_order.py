"""The route to the order in which rules are tried."""

from __future__ import annotations

from fastapi import APIRouter, Response

from rondo_gateway.domain.provisioned import RuleList
from rondo_gateway.domain.provisioning import RuleOrderBody
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented


def rule_order_routes() -> APIRouter:
    """The route to order rules by."""
    routes = APIRouter(tags=["rules"])
    routes.add_api_route(
        "/v1/rules/order",
        order_rules,
        methods=["POST"],
        response_model=RuleList,
        **documented("apiKey", "agentToken", problems=(400, 409, 413, 415, 422)),
    )
    return routes


async def order_rules(gateway: Gateway, caller: Caller, body: RuleOrderBody) -> Response:
    """Give the rules the priorities 1, 2, 3 … in the order named, all of them in one call.

    The answer has every rule, in that order. 409 when those named are not the rules there are.
    """
    return json_answer(await gateway.rule_order.arrange(caller, body))
