"""The route to the rule linter."""

from __future__ import annotations

from fastapi import APIRouter, Response

from rondo_gateway.domain.findings import FindingList
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented


def rule_lint_routes() -> APIRouter:
    """The route to what is wrong with a workspace's routing. Comes before any ``/v1/rules/{id}``."""
    routes = APIRouter(tags=["rules"])
    routes.add_api_route(
        "/v1/rules/lint",
        lint_rules,
        methods=["GET"],
        response_model=FindingList,
        **documented("apiKey", "agentToken"),
    )
    return routes


async def lint_rules(gateway: Gateway, caller: Caller) -> Response:
    """What cannot work in the caller's workspace: rules that can never be met or come too late, rules and
    teams without agents, accounts without an owner, hours that nobody covers. An empty list: nothing."""
    return json_answer(await gateway.rule_lint.findings(caller))
