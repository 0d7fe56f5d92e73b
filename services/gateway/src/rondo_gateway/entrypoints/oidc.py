"""Routes of signing in by the installation's OpenID Connect issuer. A browser follows them, so every answer
leads to a page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from rondo_common.errors import Unavailable
from rondo_common.ids import WorkspaceId
from rondo_gateway.domain.limits import URL_LENGTH_MAX
from rondo_gateway.domain.oidc import SignInFailed, SignInProblem
from rondo_gateway.domain.refusals import LimitReached
from rondo_gateway.domain.sign_in import INBOX, ticket_secret
from rondo_gateway.entrypoints.callers import Gateway
from rondo_gateway.entrypoints.session_cookies import (
    forget_flow,
    keep_flow,
    keep_session,
    secret_in,
    site_of,
)
from rondo_gateway.entrypoints.sign_in import NOT_KEPT, WorkspaceInQuery, for_anybody
from rondo_gateway.handlers.oidc_sign_in import Return

log = structlog.get_logger(__name__)

CALLBACK_PATH = "/v1/oidc/callback"
SIGN_IN_PAGE = f"{INBOX}sign-in"
CODE_LENGTH_MAX = 4_096
FOUND = HTTPStatus.FOUND

FromIssuer = Annotated[str | None, Query(max_length=CODE_LENGTH_MAX)]


def oidc_routes() -> APIRouter:
    """The routes to the issuer and back."""
    routes = APIRouter(tags=["sign-in"])
    for path, endpoint in (("/v1/oidc/start", start), (CALLBACK_PATH, callback)):
        arguments = for_anybody(422)
        arguments["responses"][FOUND.value] = {"description": "To the page that comes next."}
        routes.add_api_route(
            path,
            endpoint,
            methods=["GET"],
            status_code=FOUND,
            response_class=RedirectResponse,
            **arguments,
        )
    return routes


async def start(
    request: Request,
    gateway: Gateway,
    workspace_id: WorkspaceInQuery,
    return_to: Annotated[str | None, Query(max_length=URL_LENGTH_MAX)] = None,
) -> Response:
    """Sign in by the installation's issuer: leads the browser there, and then back into the inbox.

    `return_to` is a page below `/inbox/`; anything else is not followed. What goes wrong leads to
    `/inbox/sign-in?problem=<code>&workspace_id=<id>`, with one of `not-set-up`, `workspace-unknown`,
    `too-many-attempts`, `cancelled`, `expired`, `provider-unreachable`, `provider-refused`,
    `identity-invalid`, `email-unverified`, `agent-unknown`, `agent-ambiguous`, `unavailable`.
    """
    site = site_of(request)
    address = "" if request.client is None else request.client.host
    try:
        departure = await gateway.oidc_sign_in.start(
            WorkspaceId(workspace_id), return_to, site.url(request) + CALLBACK_PATH, address
        )
    except (SignInFailed, LimitReached, Unavailable) as error:
        return _to_sign_in_page(error, workspace_id)
    answer = RedirectResponse(departure.url, FOUND, NOT_KEPT)
    keep_flow(answer, site, departure.browser_secret)
    return answer


async def callback(
    request: Request,
    gateway: Gateway,
    state: FromIssuer = None,
    code: FromIssuer = None,
    error: FromIssuer = None,
    iss: FromIssuer = None,
) -> Response:
    """Back from the issuer: signs in the agent of the workspace who has the email address that the issuer
    vouches for, and leads to the page they wanted. Each sign-in comes back once, in its own browser."""
    site = site_of(request)
    back = Return(state, code, error, iss, request.cookies.get(site.flow_cookie))
    try:
        redirect_uri = site.url(request) + CALLBACK_PATH
        signed_in = await gateway.oidc_sign_in.finish(back, redirect_uri, secret_in(request))
    except (SignInFailed, Unavailable) as failure:
        secret = None if state is None else ticket_secret(state)
        answer = _to_sign_in_page(failure, None if secret is None else secret.workspace_id)
    else:
        answer = RedirectResponse(signed_in.return_to or INBOX, FOUND, NOT_KEPT)
        keep_session(answer, site, signed_in.secret, signed_in.max_age_s)
    forget_flow(answer, site)
    return answer


def _to_sign_in_page(error: Exception, workspace_id: str | None) -> Response:
    match error:
        case SignInFailed(problem=problem):
            pass
        case LimitReached():
            problem = SignInProblem.TOO_MANY_ATTEMPTS
        case _:
            problem = SignInProblem.UNAVAILABLE
    log.warning("sign_in_failed", problem=problem, reason=str(error), workspace=workspace_id)
    query = {"problem": problem.value} | ({} if workspace_id is None else {"workspace_id": workspace_id})
    return RedirectResponse(f"{SIGN_IN_PAGE}?{urlencode(query)}", FOUND, NOT_KEPT)
