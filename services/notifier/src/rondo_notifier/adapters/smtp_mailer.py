"""Emails to agents, as text and HTML, over SMTP. The templates are in ``mail``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from rondo_common.directory.entries import AgentEntry
from rondo_common.errors import Rejected
from rondo_notifier.domain.mails import News, subject_of
from rondo_notifier.ports import Notice

MESSAGE_ID_DOMAIN = "rondo.invalid"


class Smtp(Protocol):
    """Hands a message over, as :class:`rondo_common.smtp.SmtpSession` does."""

    async def send(self, message: EmailMessage) -> None:
        """Return when the server has it. Raises ``Rejected`` and ``Unavailable``."""
        ...


class SmtpMailer:
    """See :class:`rondo_notifier.ports.Mailer`."""

    def __init__(self, smtp: Smtp, sender: str, url: str) -> None:
        self._smtp = smtp
        self._sender = sender
        self._url = url
        # What people wrote is never markup: escaped in HTML, and as it is in text.
        self._templates = Environment(
            loader=PackageLoader("rondo_notifier.adapters", "mail"),
            autoescape=select_autoescape(["html"], default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def send_news(self, agent: AgentEntry, news: Sequence[News], time_zone: str) -> None:
        """See :class:`Mailer`."""
        values = {"agent": agent, "news": news, "local": _local(agent.time_zone or time_zone)}
        about = "/".join([*(each.id for each in news), agent.id])
        await self._send(agent, subject_of(news), "news", about, values)

    async def send_notice(self, notice: Notice) -> None:
        """See :class:`Mailer`."""
        values = {"agent": notice.agent, "visitor": notice.visitor, "chat_url": notice.url}
        await self._send(notice.agent, "A chat waits for you", "offer", notice.id, values)

    async def _send(
        self, agent: AgentEntry, subject: str, template: str, about: str, values: Mapping[str, Any]
    ) -> None:
        shown = {**values, "inbox_url": f"{self._url}/inbox/"}
        message = EmailMessage()
        message["From"] = self._sender
        try:
            message["To"] = Address(_one_line(agent.name), addr_spec=agent.email)
        except ValueError as error:  # It is no address that an email can be sent to.
            raise Rejected(f"{agent.email!r} is no address: {error}") from error
        message["Subject"] = subject
        digest = hashlib.sha256(about.encode()).hexdigest()[:32]
        message["Message-ID"] = f"<{digest}@{MESSAGE_ID_DOMAIN}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(self._templates.get_template(f"{template}.txt").render(shown))
        html = self._templates.get_template(f"{template}.html").render(shown)
        message.add_alternative(html, subtype="html")
        await self._smtp.send(message)


def _local(time_zone: str) -> Callable[[datetime], str]:
    zone = ZoneInfo(time_zone)
    return lambda moment: f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({time_zone})"


def _one_line(text: str) -> str:
    """A header ends where its line does."""
    return " ".join(text.split())
