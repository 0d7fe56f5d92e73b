"""The mail server, where one is set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rondo_common.errors import RondoError
from rondo_common.examination import Finding, fine, wrong
from rondo_common.smtp import SmtpSession, smtp_server

URL = "RONDO_SMTP_URL"
SUBJECT = "mail server"


async def examine_mail(environ: Mapping[str, str]) -> Sequence[Finding]:
    """See :data:`rondo_common.examination.Examination`. Sends nothing."""
    url = environ.get(URL, "")
    if not url:
        return [fine(SUBJECT, f"none is set ({URL}): no emails are sent")]
    try:
        session = SmtpSession(smtp_server(url))
    except ValueError as error:
        return [
            wrong(SUBJECT, f"{URL} is no address: {error}", "write it as smtp://user:password@host:port")
        ]
    try:
        await session.greet()
    except RondoError as error:
        return [
            wrong(SUBJECT, str(error), f"start it, or correct {URL} (host, port, credentials, starttls)")
        ]
    finally:
        await session.close()
    return [fine(SUBJECT, "it answers, and takes the credentials")]
