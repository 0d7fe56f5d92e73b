"""Sending webhooks with aiohttp, to receivers that may be slow, broken or hostile.

Nothing inside the installation's own network can be reached: every socket is checked right before it
connects, by the address it connects to. So neither a name that resolves to a private address, nor one
that does so only the second time, nor another way of writing an address gets there.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC
from functools import lru_cache
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from standardwebhooks.webhooks import Webhook

from rondo_common.clock import Clock
from rondo_common.directory.entries import WebhookEntry
from rondo_common.ids import EventId
from rondo_common.public_addresses import is_public
from rondo_common.webhooks import SHOWN_BYTES_MAX, Attempt, WebhookAnswer
from rondo_notifier.domain.webhooks import ANSWER_TIMEOUT_S, SUCCESSES

CONNECT_TIMEOUT_S = 5.0
BODY_TIMEOUT_S = 2.0
"""How long the answer's body is waited for, which only the log wants: the status has been given."""
CONNECTIONS_MAX = 1200
KEEP_ALIVE_S = 15.0
NAME_KEPT_S = 10
"""How long a name's addresses are remembered. They are checked with every connection all the same."""
HEADERS_SHOWN_BYTES_MAX = 4096
HEADER_BYTES_MAX = 8 * 1024
USER_AGENT = "Rondo-Webhooks/1"
SIGNERS_KEPT = 4096


class ForbiddenAddress(OSError):
    """The receiver's address is not a public one. Give the endpoint a public address, or allow private
    ones for the whole installation (``RONDO_WEBHOOK_ALLOW_PRIVATE``)."""


AddressCheck = Callable[[str], bool]
"""Whether an address may be connected to."""


def guarded_socket(is_allowed: AddressCheck) -> Callable[[Any], socket.socket]:
    """What makes the sockets of a connector: only those that will connect to an allowed address."""

    def make(info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        if not is_allowed(address[0]):
            raise ForbiddenAddress(errno.EACCES, f"{address[0]} is not a public address")
        return socket.socket(family=family, type=kind, proto=protocol)

    return make


@contextlib.asynccontextmanager
async def webhook_session(
    *,
    allow_private: bool,
    resolver: AbstractResolver | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[aiohttp.ClientSession]:
    """The session that webhooks are sent in. ``resolver`` and ``tls`` stand in for the system's."""
    connector = aiohttp.TCPConnector(
        limit=CONNECTIONS_MAX,
        keepalive_timeout=KEEP_ALIVE_S,
        ttl_dns_cache=NAME_KEPT_S,
        # In threads, a few names whose servers are dead would keep all others from being resolved.
        resolver=resolver or aiohttp.AsyncResolver(timeout=CONNECT_TIMEOUT_S, tries=2),
        socket_factory=guarded_socket((lambda _: True) if allow_private else is_public),
        ssl=tls or True,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # A small answer could unfold to a huge one.
        max_line_size=HEADER_BYTES_MAX,
        max_field_size=HEADER_BYTES_MAX,
        trust_env=False,
    ) as session:
        yield session


class HttpWebhookSender:
    """See :class:`rondo_notifier.ports.WebhookSender`."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        *,
        allow_private: bool,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        body_timeout_s: float = BODY_TIMEOUT_S,
    ) -> None:
        self._session = session
        self._clock = clock
        self._schemes = {"https", "http"} if allow_private else {"https"}
        self._answer_timeout_s = answer_timeout_s
        self._body_timeout_s = body_timeout_s

    async def send(
        self, entry: WebhookEntry, secrets: Sequence[str], body: str, event_id: EventId
    ) -> Attempt:
        """See :class:`WebhookSender`."""
        at, began_s = self._clock(), time.monotonic()
        timestamp = at.astimezone(UTC)
        headers = {
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "webhook-id": event_id,
            "webhook-timestamp": str(int(timestamp.timestamp())),
        }
        signatures = [_signer(each).sign(event_id, timestamp, body) for each in secrets]
        sent = headers | {"webhook-signature": " ".join(signatures)}
        answer, error = await self._answered(entry.url, sent, body)
        if error is None and answer is not None and answer.status not in SUCCESSES:
            error = f"answered {answer.status}" + (
                ", and redirects are not followed" * _is_redirect(answer)
            )
        return Attempt(
            at=at,
            status=None if answer is None else answer.status,
            duration_ms=round((time.monotonic() - began_s) * 1000),
            error=error,
            request_headers=headers,
            answer=answer,
        )

    async def _answered(
        self, url: str, headers: Mapping[str, str], body: str
    ) -> tuple[WebhookAnswer | None, str | None]:
        """The answer, or why there is none."""
        if url.partition(":")[0].lower() not in self._schemes:
            return None, "only https is allowed here"
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                response = await self._session.post(
                    url, data=body.encode(), headers=headers, allow_redirects=False
                )
        except TimeoutError:
            return None, f"no answer within {self._answer_timeout_s:g} s"
        except ForbiddenAddress as error:
            return None, f"not allowed: {error.strerror}"
        except aiohttp.ClientConnectorError as error:
            return None, _no_connection(error)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return None, f"no proper answer: {_said(error)}"
        return await self._read(response), None

    async def _read(self, response: aiohttp.ClientResponse) -> WebhookAnswer:
        """The answer, cut. Its status counts, whatever becomes of its body."""
        content, body, is_whole = response.content, b"", False
        try:
            body = content.read_nowait(SHOWN_BYTES_MAX)  # What came with its head: mostly all of it.
            if not content.at_eof():
                async with asyncio.timeout(self._body_timeout_s):
                    while len(body) < SHOWN_BYTES_MAX and not content.at_eof():
                        body += await content.read(SHOWN_BYTES_MAX - len(body))
            is_whole = content.at_eof()
        except (TimeoutError, aiohttp.ClientError, OSError):
            pass  # The status has been given.
        finally:
            if is_whole:
                response.release()
            else:
                response.close()  # What else it sends is not waited for, nor its connection used again.
        return WebhookAnswer(
            status=response.status,
            headers=_shown_headers(response.headers),
            body=_text(body),
        )


@lru_cache(SIGNERS_KEPT)
def _signer(secret: str) -> Webhook:
    return Webhook(secret)


def _is_redirect(answer: WebhookAnswer) -> bool:
    return answer.status // 100 == 3  # noqa: PLR2004 - the class of redirects


def _no_connection(error: aiohttp.ClientConnectorError) -> str:
    cause = error.os_error
    if isinstance(cause, ForbiddenAddress) or "is not a public address" in str(cause):
        return f"not allowed: {cause.strerror or cause}"
    return f"no connection: {_said(error)}"


def _said(error: BaseException) -> str:
    return str(error)[:SHOWN_BYTES_MAX] or type(error).__name__


def _text(body: bytes) -> str:
    """The body as text that every store can keep."""
    return body.decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The answer's headers, as many as fit."""
    shown: dict[str, str] = {}
    left = HEADERS_SHOWN_BYTES_MAX
    for name, value in headers.items():
        left -= len(name) + len(value)
        if left < 0:
            break
        shown[name.lower()] = value.encode(errors="replace").decode()
    return shown
