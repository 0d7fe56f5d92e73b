"""Web Push (RFC 8030): notifications in an agent's browsers, encrypted (RFC 8291) and signed (RFC 8292)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import math
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from py_vapid import Vapid02
from pywebpush import WebPusher

from rondo_common.alerts import ChannelName
from rondo_common.directory.entries import AgentEntry, PushSubscriptionEntry
from rondo_common.directory.view import Directory
from rondo_common.envelope import rfc3339
from rondo_common.errors import Unavailable
from rondo_common.ids import WorkspaceId
from rondo_notifier.adapters.channels.guarded_post import Answer, post
from rondo_notifier.domain.notice_text import body_of, tag_of, title_of
from rondo_notifier.ports import Notice, Receipt

log = structlog.get_logger(__name__)

ENCODING = "aes128gcm"
GONE = frozenset({404, 410})
TOPIC_LENGTH = 32
"""What RFC 8030 allows."""
SIGNATURE_VALID_S = 12 * 60 * 60
SIGNATURE_KEPT_S = 60 * 60
RECALL_TTL_S = 60
"""A withdrawal is kept for a browser at least so long: the ring may be on its screen."""

Forget = Callable[[WorkspaceId, PushSubscriptionEntry], Awaitable[None]]
"""Removes a subscription that its push service does not know any more. Raises ``Unavailable``."""


class Vapid:
    """Says who pushes: the installation's key, and where its operator is reached."""

    def __init__(self, private_key: str, subject: str) -> None:
        self._key = Vapid02.from_string(private_key)
        self._subject = subject
        self._sign = lru_cache(maxsize=1024)(self._signed)

    def authorization(self, endpoint: str, now_s: float) -> str:
        """The header for a push service. It is signed anew every hour."""
        parts = urlsplit(endpoint)
        hour = int(now_s // SIGNATURE_KEPT_S)
        return self._sign(f"{parts.scheme}://{parts.netloc}", hour)

    def _signed(self, audience: str, hour: int) -> str:
        expires = int(hour * SIGNATURE_KEPT_S + SIGNATURE_VALID_S)
        headers: dict[str, str] = self._key.sign({"aud": audience, "sub": self._subject, "exp": expires})
        return headers["Authorization"]


class WebPushChannel:
    """See :class:`rondo_notifier.ports.Channel`.

    Told is what one browser at least will get. The same notice replaces itself, at the push service by
    its topic and on the screen by its tag.
    """

    name = ChannelName.WEB_PUSH
    is_confirmed = True

    def __init__(
        self,
        session: aiohttp.ClientSession,
        directory: Directory,
        vapid: Vapid,
        forget: Forget,
        *,
        allow_private: bool,
    ) -> None:
        self._session = session
        self._directory = directory
        self._vapid = vapid
        self._forget = forget
        self._schemes = {"https", "http"} if allow_private else {"https"}

    def reaches(self, workspace_id: WorkspaceId, agent: AgentEntry) -> bool:
        """See :class:`Channel`."""
        return agent.notifications.web_push and bool(self._subscriptions(workspace_id, agent))

    async def deliver(self, notices: Sequence[Notice]) -> list[Receipt]:
        """See :class:`Channel`."""
        return list(await asyncio.gather(*(self._tell(each) for each in notices)))

    async def _tell(self, notice: Notice) -> Receipt:
        left_s = (notice.alert.expires_at - notice.at).total_seconds()
        if notice.act == "ring" and left_s <= 0:
            return Receipt("refused", "the offer is over")
        subscriptions = self._subscriptions(notice.workspace_id, notice.agent)
        if not subscriptions:
            return Receipt("refused", "the agent has no push subscription (any more)")
        ttl_s = math.ceil(left_s if notice.act == "ring" else max(left_s, RECALL_TTL_S))
        answers = await asyncio.gather(*(self._push(notice, each, ttl_s) for each in subscriptions))
        return _receipt(answers)

    async def _push(self, notice: Notice, subscription: PushSubscriptionEntry, ttl_s: int) -> Answer:
        endpoint = subscription.endpoint
        if urlsplit(endpoint).scheme not in self._schemes:
            return Answer(400, "only https is allowed here")
        try:
            body = _encrypted(subscription, payload_of(notice))
        except Exception as error:
            return Answer(400, f"the subscription's keys cannot be used: {type(error).__name__}")
        headers = {
            "content-encoding": ENCODING,
            "content-type": "application/octet-stream",
            "ttl": str(ttl_s),
            "urgency": "high",
            "topic": topic_of(notice.alert.conversation_id),
            "authorization": self._vapid.authorization(endpoint, notice.at.timestamp()),
        }
        answer = await post(self._session, endpoint, body, headers)
        if answer.status in GONE:
            await self._drop(notice.workspace_id, subscription)
        return answer

    async def _drop(self, workspace_id: WorkspaceId, subscription: PushSubscriptionEntry) -> None:
        try:
            await self._forget(workspace_id, subscription)
        except Unavailable as error:  # It will be gone the next time too.
            log.warning("push_subscription_kept", subscription=subscription.id, reason=str(error))
        else:
            log.info("push_subscription_removed", subscription=subscription.id)

    def _subscriptions(self, workspace_id: WorkspaceId, agent: AgentEntry) -> list[PushSubscriptionEntry]:
        found = self._directory.find(workspace_id)
        return [] if found is None else found.push_subscriptions_of(agent.id)


def payload_of(notice: Notice) -> bytes:
    """What the service worker gets, once it is decrypted."""
    alert = notice.alert
    return json.dumps(
        {
            "type": "alert.sent" if notice.act == "ring" else "alert.withdrawn",
            "alert_id": alert.id,
            "conversation_id": alert.conversation_id,
            "title": title_of(notice.act),
            "body": body_of(notice.visitor, notice.act),
            "url": notice.url,
            "tag": tag_of(alert),
            "expires_at": rfc3339(alert.expires_at),
        },
        ensure_ascii=False,
    ).encode()


def topic_of(conversation_id: str) -> str:
    """By which a push service replaces what it has not delivered yet: one a conversation."""
    digest = hashlib.sha256(conversation_id.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:TOPIC_LENGTH]


def _encrypted(subscription: PushSubscriptionEntry, payload: bytes) -> bytes:
    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
    pusher = WebPusher({"endpoint": subscription.endpoint, "keys": keys})
    encoded: Any = pusher.encode(payload, ENCODING)
    return bytes(encoded["body"])


def _receipt(answers: Sequence[Answer]) -> Receipt:
    if any(each.is_good for each in answers):
        return Receipt("told")
    error = "; ".join(dict.fromkeys(each.detail for each in answers))
    later = [each for each in answers if each.may_come_later]
    if not later:
        return Receipt("refused", error)
    return Receipt("later", error, min(each.retry_after_s for each in later))
