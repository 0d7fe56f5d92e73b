"""Routes to webhook endpoints, and to what is delivered to them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from rondo_common.ids import ID_PATTERN, WebhookId
from rondo_common.webhooks import DeliveryState
from rondo_gateway.domain.webhooks import (
    DeliveryList,
    ReplayBody,
    ReplayStarted,
    SentTest,
    Webhook,
    WebhookBody,
    WebhookList,
)
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented
from rondo_gateway.entrypoints.parameters import LIMIT_DEFAULT, Cursor, EntryInPath, Limit
from rondo_gateway.entrypoints.provisioned import KindRoutes, kind_routes
from rondo_gateway.entrypoints.versions import IfToWrite, written

WebhookInPath = Annotated[WebhookId, Path(pattern=ID_PATTERN)]
State = Annotated[DeliveryState | None, Query(description="Only those in this state")]


def webhook_routes() -> APIRouter:
    """Endpoints as everything provisioned, their deliveries, and what can be done with them."""
    routes = kind_routes(
        KindRoutes(
            "webhooks",
            "webhook",
            lambda use_cases: use_cases.webhooks,
            put_webhook,
            Webhook,
            WebhookList,
            "Nothing is sent to it any more, what waits included.",
        )
    )
    path = "/v1/webhooks/{webhook_id}"
    routes.add_api_route(
        f"{path}/deliveries",
        list_deliveries,
        methods=["GET"],
        response_model=DeliveryList,
        **documented("apiKey", "agentToken", problems=(404, 422)),
    )
    routes.add_api_route(
        f"{path}/test",
        send_test,
        methods=["POST"],
        status_code=HTTPStatus.ACCEPTED,
        response_model=SentTest,
        **documented("apiKey", "agentToken", problems=(404, 409, 422)),
    )
    routes.add_api_route(
        f"{path}/replay",
        replay,
        methods=["POST"],
        status_code=HTTPStatus.ACCEPTED,
        response_model=ReplayStarted,
        **documented("apiKey", "agentToken", problems=(400, 404, 409, 413, 415, 422)),
    )
    routes.add_api_route(
        f"{path}/rotate_secret",
        rotate_secret,
        methods=["POST"],
        response_model=Webhook,
        **documented("apiKey", "agentToken", problems=(404, 422)),
    )
    return routes


async def put_webhook(
    gateway: Gateway, caller: Caller, entry_id: EntryInPath, body: WebhookBody, preconditions: IfToWrite
) -> Response:
    """Define a webhook endpoint, new (201) or anew (200). Whatever happens after the answer is sent to it.

    The answer to a new one without a `secret` has the secret it was given, this once. Another `secret`
    than the present one is a rotation. One that was disabled by failure is tried again from now on.
    """
    return written(await gateway.webhooks.put(caller, entry_id, body, preconditions))


async def list_deliveries(
    gateway: Gateway,
    caller: Caller,
    webhook_id: WebhookInPath,
    state: State = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """What was and is being sent, the newest first, each attempt with its request and answer.

    Kept are all that are not at their end, and the last 1,000 that are, for 7 days.
    """
    page, following = await gateway.webhooks.deliveries(
        caller, webhook_id, state=state, limit=limit, cursor=cursor
    )
    return json_answer(DeliveryList(data=page, next_cursor=following))


async def send_test(gateway: Gateway, caller: Caller, webhook_id: WebhookInPath) -> Response:
    """Send a `webhook.test` now, once. What becomes of it is in the deliveries, under the `id` given."""
    return json_answer(await gateway.webhooks.test(caller, webhook_id), HTTPStatus.ACCEPTED)


async def replay(gateway: Gateway, caller: Caller, webhook_id: WebhookInPath, body: ReplayBody) -> Response:
    """Send again everything that happened `since` then, from the log, as the endpoint is defined now.

    What was delivered already comes again too, under the same `webhook-id`: that is how a receiver
    tells. One replay of an endpoint at a time.
    """
    started = await gateway.webhooks.replay(caller, webhook_id, body.since)
    return json_answer(started, HTTPStatus.ACCEPTED)


async def rotate_secret(gateway: Gateway, caller: Caller, webhook_id: WebhookInPath) -> Response:
    """Give the endpoint a new secret, shown this once. For 24 hours the one before signs as well."""
    return written(await gateway.webhooks.rotate_secret(caller, webhook_id))
