"""The public surface as one ASGI application."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi_swagger import patch_fastapi
from starlette.routing import BaseRoute

from rondo_common.traces import FASTAPI_TELEMETRY
from rondo_gateway.entrypoints.account_import import account_import_routes
from rondo_gateway.entrypoints.agents import agent_routes
from rondo_gateway.entrypoints.alerts import alert_routes
from rondo_gateway.entrypoints.attention import attention_routes
from rondo_gateway.entrypoints.availability import availability_routes
from rondo_gateway.entrypoints.conversation_lists import conversation_list_routes
from rondo_gateway.entrypoints.conversations import conversation_routes
from rondo_gateway.entrypoints.documentation import DESCRIPTION, TITLE, VERSION, describe
from rondo_gateway.entrypoints.live_metrics import metrics_routes
from rondo_gateway.entrypoints.messages import message_routes
from rondo_gateway.entrypoints.oidc import oidc_routes
from rondo_gateway.entrypoints.origins import OriginRules, Origins
from rondo_gateway.entrypoints.problems import answer_refusals
from rondo_gateway.entrypoints.provisioned import provisioned_routes
from rondo_gateway.entrypoints.reports import report_routes
from rondo_gateway.entrypoints.request_bodies import RequestBodies
from rondo_gateway.entrypoints.roster import roster_routes
from rondo_gateway.entrypoints.route_plans import route_plan_routes
from rondo_gateway.entrypoints.rule_lint import rule_lint_routes
from rondo_gateway.entrypoints.rule_order import rule_order_routes
from rondo_gateway.entrypoints.session_cookies import Site
from rondo_gateway.entrypoints.sign_in import sign_in_routes
from rondo_gateway.entrypoints.visitor_sessions import visitor_session_routes
from rondo_gateway.entrypoints.visitors import visitor_routes
from rondo_gateway.entrypoints.webhooks import webhook_routes
from rondo_gateway.entrypoints.workspaces import api_key_routes, settings_routes, workspace_routes
from rondo_gateway.handlers.use_cases import UseCases


def public_app(
    use_cases: UseCases | None,
    streams: Sequence[BaseRoute] = (),
    health: APIRouter | None = None,
    pages: Sequence[BaseRoute] = (),
    site: Site | None = None,
) -> FastAPI:
    """The application. Without use cases it can only be described."""
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        telemetry=FASTAPI_TELEMETRY,
    )
    app.state.use_cases = use_cases
    app.state.site = site or Site()
    answer_refusals(app)
    app.add_middleware(RequestBodies)
    if use_cases is not None:  # Outermost: pages may read also why a body was refused.
        origins = use_cases.allowed_origins
        app.add_middleware(Origins, rules=OriginRules(origins.is_known, origins.of_token))
    for routes in _api():
        app.include_router(routes)
    if health is not None:
        app.include_router(health)
    app.router.routes.extend([*streams, *pages])
    describe(app)
    # FastAPI's own page loads its scripts from a foreign host; this one brings them along.
    patch_fastapi(app, redirect_from_root_to_docs=False, swagger_ui_parameters={"tryItOutEnabled": True})
    return app


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document of the public surface."""
    return public_app(None).openapi()


@cache
def _api() -> tuple[APIRouter, ...]:
    """The API's routes, tried in this order: the busiest first.

    Made once, because FastAPI takes a tenth of a second to work out what all the endpoints take and give.
    """
    return (
        conversation_routes(),
        conversation_list_routes(),
        message_routes(),
        report_routes(),
        visitor_routes(),
        attention_routes(),
        visitor_session_routes(),
        route_plan_routes(),
        agent_routes(),
        sign_in_routes(),
        oidc_routes(),
        availability_routes(),
        roster_routes(),
        alert_routes(),
        rule_lint_routes(),
        rule_order_routes(),
        account_import_routes(),
        *provisioned_routes(),
        webhook_routes(),
        settings_routes(),
        workspace_routes(),
        api_key_routes(),
        metrics_routes(),
    )
