"""Sending email over SMTP, as ``RONDO_SMTP_URL`` says.

``smtp://user:password@host:port`` starts TLS where the server offers it; ``?starttls=always`` insists on
it, ``?starttls=never`` leaves it. ``smtps://`` speaks TLS from the first byte.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from rondo_common.errors import Rejected, Unavailable

TIMEOUT_S = 20.0
PORTS = {"smtp": 587, "smtps": 465}
PERMANENT = 500
"""From this code on, a server will never take the message."""

StartTls = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where email is handed over, and with which credentials."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    implicit_tls: bool = False
    starttls: StartTls = "auto"


def smtp_server(url: str) -> SmtpServer:
    """The server that a URL names.

    Raises:
        ValueError: it is not such a URL; the text does not repeat it, for it may hold a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # Its text repeats what it took for an address: of an odd password, the beginning.
        parts, port = urlsplit(""), None
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError(
            "must be smtp://user:password@host:port or smtps://…, with %2F for / and so on in a password"
        )
    match parse_qs(parts.query).get("starttls", ["auto"])[-1]:
        case ("auto" | "always" | "never") as starttls:
            pass
        case _:
            raise ValueError("starttls must be auto, always or never")
    return SmtpServer(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        implicit_tls=parts.scheme == "smtps",
        starttls=starttls,
    )


class SmtpMailer:
    """Hands messages over to one server, a connection each."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def send(self, message: EmailMessage) -> None:
        """Return when the server has taken the message for all its recipients.

        Raises:
            Rejected: it never will: the address or the message is refused for good.
            Unavailable: it may later. It may also have it already, and the answer was lost: so give a
                message the same ``Message-ID`` when it is sent again.
        """
        with _smtp_errors():
            async with _client(self._server) as client:
                await client.send_message(message)


class SmtpSession:
    """Hands messages over to one server, one after the other on the same connection while it lasts.

    A connection that the server has closed meanwhile is replaced. Close the session in the end.
    """

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._client: aiosmtplib.SMTP | None = None
        self._turn = asyncio.Lock()

    async def send(self, message: EmailMessage) -> None:
        """As :meth:`SmtpMailer.send`."""
        with _smtp_errors():
            async with self._turn:
                try:
                    client = await self._connected()
                    await client.send_message(message)
                except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError):
                    raise  # The connection is as good as before.
                except BaseException:
                    self._drop()
                    raise

    async def greet(self) -> None:
        """Return when the server takes the credentials, if there are any. Raises as :meth:`send`."""
        with _smtp_errors():
            async with self._turn:
                await self._connected()

    async def close(self) -> None:
        """Take leave of the server. Again is fine."""
        async with self._turn:
            client, self._client = self._client, None
            if client is not None and client.is_connected:
                with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                    await client.quit()

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            try:
                await self._client.noop()
            except (aiosmtplib.SMTPException, OSError):
                self._drop()  # It was closed while nothing was sent.
            else:
                return self._client
        self._client = _client(self._server)
        await self._client.connect()
        return self._client

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def _client(server: SmtpServer) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        use_tls=server.implicit_tls,
        start_tls={"auto": None, "always": True, "never": False}[server.starttls],
        timeout=TIMEOUT_S,
    )


@contextlib.contextmanager
def _smtp_errors() -> Iterator[None]:
    """Translate what a server, or the way to it, makes aiosmtplib raise."""
    try:
        yield
    except aiosmtplib.SMTPRecipientsRefused as error:
        first = error.recipients[0]
        raise _refused(first.code, first.message) from error
    except aiosmtplib.SMTPAuthenticationError as error:
        raise Unavailable("smtp", f"it does not take the credentials ({error.code})") from error
    except aiosmtplib.SMTPResponseException as error:
        raise _refused(error.code, error.message) from error
    except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
        raise Unavailable("smtp", repr(error)) from error


def _refused(code: int, message: str) -> Rejected | Unavailable:
    reason = f"{code} {message}"
    return Rejected(reason) if code >= PERMANENT else Unavailable("smtp", reason)
