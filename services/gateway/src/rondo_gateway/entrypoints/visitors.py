"""The route to a visitor's personal data: away with it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response

from rondo_common.ids import ID_PATTERN, VisitorId
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented

VisitorInPath = Annotated[VisitorId, Path(pattern=ID_PATTERN)]


def visitor_routes() -> APIRouter:
    """The route of backends, and of agents who may, to visitors."""
    routes = APIRouter(tags=["visitors"])
    routes.add_api_route(
        "/v1/visitors/{visitor_id}",
        erase_visitor,
        methods=["DELETE"],
        status_code=HTTPStatus.ACCEPTED,
        **documented("apiKey", "agentToken", problems=(422,)),
    )
    return routes


async def erase_visitor(gateway: Gateway, caller: Caller, visitor_id: VisitorInPath) -> Response:
    """Erase a visitor's personal data. Their open conversations are withdrawn or ended first. Then all
    that was asked, said and mailed is deleted; reports keep their figures, without the visitor. Agents need
    `admin_security`. The topics keep their events until their own retention is over."""
    await gateway.erasures.erase(caller, visitor_id)
    return Response(status_code=HTTPStatus.ACCEPTED)
