"""Routes of agents' sign-in: links, and sessions in browsers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from rondo_common.ids import ID_PATTERN, AgentId
from rondo_gateway.domain.principals import AgentCaller
from rondo_gateway.domain.refusals import ForeignPage
from rondo_gateway.domain.sign_in import (
    AgentSession,
    BegunSession,
    SignInBody,
    SignInLink,
    SignInLinkBody,
    SignInMethods,
)
from rondo_gateway.entrypoints.answers import json_answer, no_content
from rondo_gateway.entrypoints.callers import BrowserSession, Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented
from rondo_gateway.entrypoints.session_cookies import (
    FOREIGN,
    forget_session,
    is_from_here,
    keep_session,
    secret_in,
    site_of,
)

NOT_KEPT = {"Cache-Control": "no-store"}
WorkspaceInQuery = Annotated[str, Query(pattern=ID_PATTERN, description="The agent's workspace")]
AgentWithLink = Annotated[AgentId, Path(pattern=ID_PATTERN)]


def sign_in_routes() -> APIRouter:
    """The routes of sign-in links and of sessions."""
    routes = APIRouter(tags=["sign-in"])
    bodies = (400, 413, 415, 422)
    routes.add_api_route(
        "/v1/agents/{agent_id}/sign_in_links",
        issue_link,
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        response_model=SignInLink,
        **documented("apiKey", "agentToken", problems=(404, *bodies)),
    )
    routes.add_api_route(
        "/v1/sign_in_methods",
        read_methods,
        methods=["GET"],
        response_model=SignInMethods,
        **for_anybody(422),
    )
    routes.add_api_route(
        "/v1/sessions",
        begin_session,
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        response_model=BegunSession,
        **for_anybody(429, *bodies),
    )
    routes.add_api_route(
        "/v1/session",
        read_session,
        methods=["GET"],
        response_model=AgentSession,
        **documented("agentSession"),
    )
    for path, endpoint, callers in (
        ("/v1/session", end_session, ("agentSession",)),
        ("/v1/sessions", end_sessions, ("agentToken",)),
    ):
        routes.add_api_route(
            path, endpoint, methods=["DELETE"], status_code=HTTPStatus.NO_CONTENT, **documented(*callers)
        )
    return routes


def for_anybody(*problems: int) -> dict[str, Any]:
    """As :func:`documented`, of a route that needs no credential."""
    arguments = documented(problems=problems)
    arguments["openapi_extra"]["security"] = [{}]
    return arguments


async def issue_link(
    request: Request,
    gateway: Gateway,
    caller: Caller,
    agent_id: AgentWithLink,
    body: SignInLinkBody | None = None,
) -> Response:
    """A link that signs the agent in to the inbox, once.

    For an API key, and for an agent with `admin_agents` who holds every permission that the agent has. Give
    it to that agent alone: whoever opens it first is them.
    """
    url = site_of(request).url(request)
    link = await gateway.sign_in_links.issue(caller, agent_id, body or SignInLinkBody(), url)
    return json_answer(link, HTTPStatus.CREATED, NOT_KEPT)


async def read_methods(gateway: Gateway, workspace_id: WorkspaceInQuery) -> Response:  # noqa: ARG001 - the same for all, so far
    """How agents can sign in by themselves, besides a link. For anybody."""
    return json_answer(gateway.oidc_sign_in.methods())


async def begin_session(request: Request, gateway: Gateway, body: SignInBody) -> Response:
    """Sign an agent in with the token of a sign-in link, which is used by that.

    The session is kept in a cookie (`HttpOnly`, `SameSite=Lax`; by https `Secure`, its name with
    `__Host-`) and counts wherever an agent's token does, from the gateway's own pages. Every `POST`, `PUT`,
    `PATCH` and `DELETE` needs its `csrf_token` as `X-CSRF-Token`.
    """
    if not is_from_here(request, "unsafe"):
        raise ForeignPage(FOREIGN)  # Another website must not sign somebody in as whom it likes.
    address = "" if request.client is None else request.client.host
    signed_in = await gateway.sign_ins.by_link(body.token, address, secret_in(request))
    begun = BegunSession(**dict(signed_in.session), return_to=signed_in.return_to)
    answer = json_answer(begun, HTTPStatus.CREATED, NOT_KEPT)
    keep_session(answer, site_of(request), signed_in.secret, signed_in.max_age_s)
    return answer


async def read_session(gateway: Gateway, secret: BrowserSession) -> Response:
    """Who is signed in here, what they may do, and the `csrf_token` of the session."""
    caller = await gateway.authentication.identify_session(secret)
    return json_answer(await gateway.sign_ins.show(secret, caller), headers=NOT_KEPT)


async def end_session(request: Request, gateway: Gateway, secret: BrowserSession) -> Response:
    """Sign this browser out. Its live streams close. A session that has ended already stays so."""
    await gateway.sign_ins.end(secret)
    return _signed_out(request)


async def end_sessions(request: Request, gateway: Gateway, caller: Caller) -> Response:
    """Sign the agent out in every browser. Their live streams close; tokens are valid until they expire."""
    await gateway.sign_ins.end_everywhere(caller)
    answer = _signed_out(request)
    is_here = isinstance(caller, AgentCaller) and caller.session_sha256 is not None
    return answer if is_here else no_content()


def _signed_out(request: Request) -> Response:
    answer = no_content()
    forget_session(answer, site_of(request))
    return answer
