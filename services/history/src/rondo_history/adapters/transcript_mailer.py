"""Transcripts as email, text and HTML, over SMTP. The templates are in ``mail``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from rondo_common.smtp import SmtpMailer
from rondo_history.domain.mail import TranscriptMail
from rondo_history.domain.transcript import Transcript

MESSAGE_ID_DOMAIN = "rondo.invalid"


class TranscriptMailer:
    """See :class:`rondo_history.ports.Mailer`."""

    def __init__(self, smtp: SmtpMailer, sender: str) -> None:
        self._smtp = smtp
        self._sender = sender
        loader = PackageLoader("rondo_history.adapters", "mail")
        # What visitors and agents wrote is never markup: escaped in HTML, and as it is in text.
        self._templates = Environment(
            loader=loader,
            autoescape=select_autoescape(["html"], default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def send(self, mail: TranscriptMail, transcript: Transcript) -> None:
        """See :class:`Mailer`."""
        await self._smtp.send(self.message(mail, transcript))

    def message(self, mail: TranscriptMail, transcript: Transcript) -> EmailMessage:
        """The email. The same mail has the same ``Message-ID`` every time."""
        local = _local(mail.time_zone)
        values = {"transcript": transcript, "time_zone": mail.time_zone, "local": local}
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = mail.recipient
        message["Subject"] = f"Your chat on {local(transcript.requested_at):%Y-%m-%d}"
        message["Message-ID"] = f"<{mail.id}@{MESSAGE_ID_DOMAIN}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(self._templates.get_template("transcript.txt").render(values))
        html = self._templates.get_template("transcript.html").render(values)
        message.add_alternative(html, subtype="html")
        return message


def _local(time_zone: str) -> Callable[[datetime], datetime]:
    zone = ZoneInfo(time_zone)
    return lambda moment: moment.astimezone(zone)
