"""Webhook endpoints: what is taken as one, and how they and their deliveries look."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, Strict, StringConstraints
from pydantic_core import PydanticCustomError

from rondo_common.conversation import Value
from rondo_common.directory.entries import WebhookEntry, WebhookSecret
from rondo_common.ids import ConversationId, EventId, WebhookId
from rondo_common.public_addresses import is_public
from rondo_common.webhooks import (
    EVERY_TYPE,
    KNOWN_TYPES,
    OLD_SECRET_VALID_S,
    SECRET_PREFIX,
    DeliveryRecord,
    DeliveryState,
    WebhookAnswer,
    cut,
)
from rondo_gateway.domain.limits import URL_LENGTH_MAX, Body
from rondo_gateway.domain.refusals import Invalid

SECRET_BYTES_MIN = 24
SECRET_BYTES_MAX = 64
SECRET_LENGTH_MAX = 128
_CONTROL_OR_SPACE = re.compile(r"[\x00-\x20\x7f\\]")


def _known_type(name: str) -> str:
    if name != EVERY_TYPE and name not in KNOWN_TYPES:
        raise PydanticCustomError(
            "event_type",
            "is no type of event that is sent; there are {known}, and * for all of them",
            {"known": ", ".join(KNOWN_TYPES)},
        )
    return name


def _proper_secret(secret: str) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise PydanticCustomError(
            "webhook_secret",
            "must be {prefix} and the base64 of {min} to {max} bytes; leave it out to be given one",
            {"prefix": SECRET_PREFIX, "min": SECRET_BYTES_MIN, "max": SECRET_BYTES_MAX},
        )
    return secret


EventTypeName = Annotated[str, StringConstraints(max_length=100), AfterValidator(_known_type)]
Secret = Annotated[str, StringConstraints(max_length=SECRET_LENGTH_MAX), AfterValidator(_proper_secret)]


class WebhookBody(Body):
    """Where events are sent, and which: names of the live streams' types, or `*` for all.

    Without a `secret`, a new endpoint is given one, and an endpoint that is there keeps its own.
    """

    url: Annotated[str, StringConstraints(min_length=1, max_length=URL_LENGTH_MAX)]
    event_types: list[EventTypeName] = Field(default=[EVERY_TYPE], min_length=1, max_length=100)
    enabled: bool = True
    secret: Secret | None = Field(default=None, repr=False)


class ReplayBody(Body):
    """From which time on events are sent again."""

    since: Annotated[datetime, Strict(False)]


class Webhook(Value):
    """A webhook endpoint. `secret` is there only in the answer that gives it."""

    id: WebhookId
    url: str
    event_types: tuple[str, ...]
    enabled: bool
    disabled_by_failure: bool = False
    """Nothing is sent any more after days of failure, until it is defined again with `enabled` true."""
    failing_since: datetime | None = None
    secret: str | None = None


class WebhookList(Value):
    """Webhook endpoints, by id."""

    data: list[Webhook]
    next_cursor: str | None


class DeliveryRequest(Value):
    """What was sent: the headers without the signature, the body cut to 4 KiB."""

    headers: dict[str, str]
    body: str


class DeliveryAttempt(Value):
    """One request. `status` is null when no answer came; `error` is null when it counts as delivered."""

    at: datetime
    status: int | None
    duration_ms: int
    error: str | None
    request: DeliveryRequest
    response: WebhookAnswer | None


class Delivery(Value):
    """One event on its way to the endpoint. `id` is its `webhook-id`."""

    id: EventId
    event_type: str
    conversation_id: ConversationId | None
    state: DeliveryState
    created_at: datetime
    attempts: list[DeliveryAttempt]
    next_attempt_at: datetime | None


class DeliveryList(Value):
    """Deliveries, the newest first."""

    data: list[Delivery]
    next_cursor: str | None


class SentTest(Value):
    """A test is on its way; its delivery says what becomes of it."""

    id: EventId


class ReplayStarted(Value):
    """Events are being sent again: those from `since` until `until`."""

    since: datetime
    until: datetime


def require_deliverable(url: str, *, allow_private: bool) -> None:
    """Go on only with an address that webhooks can be sent to.

    Names are looked at when they are resolved, with every connection; here, only what is plain to see.

    Raises:
        Invalid: it is none, and its text says why.
    """
    parts = _split(url)
    schemes = ("https", "http") if allow_private else ("https",)
    if parts.scheme not in schemes:
        raise Invalid("/url", "must begin with https://")
    if parts.username is not None or parts.password is not None:
        raise Invalid("/url", "must not carry credentials; the signature tells who sends")
    if parts.fragment:
        raise Invalid("/url", "must not have a fragment")
    if not allow_private and not _may_be_public(parts.hostname or ""):
        raise Invalid("/url", "must not be a private or local address")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or _CONTROL_OR_SPACE.search(url):
        raise Invalid("/url", "must be a URL with a host, such as https://crm.example.com/rondo")
    return parts


def _may_be_public(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return host.rstrip(".") != "localhost" and not host.rstrip(".").endswith(".localhost")
    return is_public(host)


def entry_after(
    previous: WebhookEntry | None,
    webhook_id: WebhookId,
    body: WebhookBody,
    *,
    new_secret: str,
    activation: EventId,
    now: datetime,
) -> WebhookEntry:
    """The endpoint as ``body`` defines it. ``new_secret`` is taken where there is none yet."""
    was_active = previous is not None and previous.enabled
    if previous is None:
        secrets: tuple[WebhookSecret, ...] = (WebhookSecret(secret=body.secret or new_secret),)
    elif body.secret is None or body.secret == previous.secrets[0].secret:
        secrets = previous.secrets
    else:
        secrets = rotated(previous.secrets, body.secret, now)
    return WebhookEntry(
        id=webhook_id,
        url=body.url,
        event_types=tuple(dict.fromkeys(body.event_types)),
        enabled=body.enabled,
        secrets=secrets,
        active_since=previous.active_since if previous is not None and was_active else now,
        activation=activation,
    )


def rotated(
    secrets: tuple[WebhookSecret, ...], new_secret: str, now: datetime
) -> tuple[WebhookSecret, ...]:
    """The new secret, and the one before it for a day more. Older ones are gone."""
    before = secrets[0].model_copy(update={"valid_until": now + timedelta(seconds=OLD_SECRET_VALID_S)})
    return (WebhookSecret(secret=new_secret), before)


def webhook_of(entry: WebhookEntry) -> Webhook:
    """The endpoint as the API shows it, as far as the directory knows."""
    return Webhook(id=entry.id, url=entry.url, event_types=entry.event_types, enabled=entry.enabled)


def delivery_of(record: DeliveryRecord) -> Delivery:
    """The delivery as the API shows it."""
    fields: dict[str, Any] = {
        name: getattr(record, name)
        for name in ("id", "event_type", "conversation_id", "state", "created_at", "next_attempt_at")
    }
    attempts = [
        DeliveryAttempt(
            at=each.at,
            status=each.status,
            duration_ms=each.duration_ms,
            error=each.error,
            request=DeliveryRequest(headers=each.request_headers, body=cut(record.body)),
            response=each.answer,
        )
        for each in record.attempts
    ]
    return Delivery(**fields, attempts=attempts)
