"""The route that imports target accounts from a file."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from rondo_gateway.domain.provisioned import ImportReport
from rondo_gateway.entrypoints.answers import json_answer, no_content
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented
from rondo_gateway.entrypoints.request_bodies import IMPORT_PATH

EXAMPLE = 'company,domain,owner\nExample,example.com,grace\n"Example, Inc.",example.org,bob@example.com\n'


def account_import_routes() -> APIRouter:
    """A route of its own: its path must be tried before that of one account."""
    routes = APIRouter(tags=["accounts"])
    extra = documented("apiKey", "agentToken", problems=(413, 415, 422))
    extra["openapi_extra"]["requestBody"] = {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
    routes.add_api_route(
        IMPORT_PATH, import_accounts, methods=["POST"], response_model=ImportReport, **extra
    )
    return routes


async def import_accounts(gateway: Gateway, caller: Caller, request: Request) -> Response:
    """Import target accounts: CSV in UTF-8 with the header `company,domain,owner` (in any order), at most
    32 MiB and 200,000 lines.

    `owner` is an agent's id or e-mail address. Lines of one company make one account; one that is there
    already gets their domains and their owner. Good lines are taken, and each bad one is reported with its
    number (the header is line 1) and the reason.
    """
    try:
        return json_answer(await gateway.account_import.run(caller, request.stream()))
    except ClientDisconnect:
        return no_content()  # Nobody reads it; nothing was taken.
