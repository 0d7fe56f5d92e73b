"""Browsers in which an agent wants to be told of chats, as they are asked for and shown."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, StringConstraints

from rondo_common.conversation import Value
from rondo_common.directory.entries import PushSubscriptionEntry
from rondo_common.ids import AgentId, PushSubscriptionId
from rondo_gateway.domain.limits import URL_LENGTH_MAX, Body
from rondo_gateway.domain.refusals import Invalid
from rondo_gateway.domain.webhooks import require_deliverable

SUBSCRIPTIONS_MAX = 20
"""Of one agent. A further one takes the place of the oldest: a browser that is gone says so too late."""
P256DH_BYTES = 65
"""A point of the curve P-256, uncompressed."""
AUTH_BYTES = 16


def _bytes_of(count: int, first: bytes = b"") -> AfterValidator:
    def check(text: str) -> str:
        try:
            raw = base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != count or not raw.startswith(first):
            raise ValueError(f"must be {count} bytes in base64url, as the browser gives it")
        return text

    return AfterValidator(check)


_Encoded = Annotated[str, StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9_-]+=*$")]


class PushKeysBody(Body):
    """What encrypts pushes for the browser."""

    p256dh: Annotated[_Encoded, _bytes_of(P256DH_BYTES, b"\x04")]
    auth: Annotated[_Encoded, _bytes_of(AUTH_BYTES)]


class PushSubscriptionBody(Body):
    """A browser's `PushSubscription` as JSON. What else browsers put there is not used."""

    model_config = ConfigDict(extra="ignore")

    endpoint: Annotated[str, StringConstraints(min_length=1, max_length=URL_LENGTH_MAX)]
    keys: PushKeysBody

    def entry(self, agent_id: AgentId, now: datetime) -> PushSubscriptionEntry:
        """The subscription as the directory keeps it. The same browser has the same id again."""
        digest = hashlib.sha256(f"{agent_id}\x00{self.endpoint}".encode()).digest()
        subscription_id = "psh_" + base64.b32encode(digest[:16]).decode().lower().rstrip("=")
        return PushSubscriptionEntry(
            id=PushSubscriptionId(subscription_id),
            agent_id=agent_id,
            endpoint=self.endpoint,
            p256dh=self.keys.p256dh,
            auth=self.keys.auth,
            created_at=now,
        )


class PushKey(Value):
    """What a browser subscribes with: `applicationServerKey`, in base64url."""

    public_key: str


class PushSubscription(Value):
    """A browser that is subscribed."""

    id: PushSubscriptionId


def require_pushable(endpoint: str, *, allow_private: bool) -> None:
    """Raises ``Invalid`` for an address that no push service could have."""
    try:
        require_deliverable(endpoint, allow_private=allow_private)
    except Invalid as error:
        raise Invalid("/endpoint", error.detail) from None


def surplus(
    known: Sequence[PushSubscriptionEntry], fresh: PushSubscriptionEntry
) -> list[PushSubscriptionId]:
    """The subscriptions of an agent that make room for a fresh one, the oldest first."""
    others = [each.id for each in known if each.id != fresh.id]
    return others[: max(0, len(others) + 1 - SUBSCRIPTIONS_MAX)]
