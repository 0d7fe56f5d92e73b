"""Routes of a website's widget: visitor sessions; and of its backend: the secret that signs identities."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from rondo_gateway.domain.refusals import NotAuthenticated
from rondo_gateway.domain.representation import IdentitySecret, VisitorSession
from rondo_gateway.domain.visitor_session import SessionBody
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.entrypoints.callers import Caller, Gateway, bearer_of
from rondo_gateway.entrypoints.documentation import documented
from rondo_gateway.handlers.visitor_sessions import Begun

Origin = Annotated[str | None, Header(description="The page's, as the browser sends it")]


def visitor_session_routes() -> APIRouter:
    """The routes to visitor sessions."""
    routes = APIRouter(tags=["visitor sessions"])
    begin = documented(problems=(400, 404, 413, 415, 422, 429))
    begin["openapi_extra"]["security"] = [{}, {"visitorToken": []}]
    routes.add_api_route(
        "/v1/visitor_sessions",
        begin_session,
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        response_model=VisitorSession,
        **begin,
    )
    routes.add_api_route(
        "/v1/visitor_sessions/refresh",
        refresh_session,
        methods=["POST"],
        response_model=VisitorSession,
        **documented("visitorToken", problems=(422,)),
    )
    routes.add_api_route(
        "/v1/workspace/identity_secret",
        rotate_identity_secret,
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        response_model=IdentitySecret,
        **documented("apiKey", "agentToken"),
    )
    return routes


async def begin_session(
    request: Request, gateway: Gateway, body: SessionBody, origin: Origin = None
) -> Response:
    """Begin a visitor's session, from a page of the workspace's `allowed_origins`.

    The token is valid 15 minutes; renew it in time. A returning visitor shows their last token as bearer
    and names its `visitor_id`: then they are the same. A known visitor's `identity` (a JWT, HS256 with the
    workspace's identity secret; claims `sub`, `exp` at most 24 h ahead, and fields of the visitor) makes
    `sub` their id; what they had as the anonymous visitor of the earlier session stays theirs.
    """
    token = bearer_of(request.headers)
    address = "" if request.client is None else request.client.host
    begun = await gateway.visitor_sessions.begin(body, origin, token, address)
    return json_answer(_shown(begun), HTTPStatus.CREATED)


async def refresh_session(request: Request, gateway: Gateway, origin: Origin = None) -> Response:
    """Renew a session's token, at the latest 24 hours after it expired, for 30 days from the first one."""
    token = bearer_of(request.headers)
    if token is None:
        raise NotAuthenticated("Send the session's last token as 'Authorization: Bearer <token>'.")
    return json_answer(_shown(await gateway.visitor_sessions.refresh(token, origin)))


async def rotate_identity_secret(gateway: Gateway, caller: Caller) -> Response:
    """Make a new secret to sign visitors' identities with. It is shown here and never again.

    The one before stays valid until the next rotation, so that a backend can change over.
    """
    rotated = await gateway.visitor_sessions.rotate_secret(caller)
    answer = IdentitySecret(identity_secret=rotated.identity_secret, created_at=rotated.created_at)
    return json_answer(answer, HTTPStatus.CREATED)


def _shown(begun: Begun) -> VisitorSession:
    return VisitorSession(
        visitor_id=begun.visitor_id,
        visitor_token=begun.visitor_token,
        expires_at=begun.expires_at,
        config=begun.config,
    )
