"""The internal route that says whether email can be sent."""

from __future__ import annotations

from fastapi import APIRouter

from rondo_common.conversation import Value


class MailBody(Value):
    """Whether there is a server that email is handed over to."""

    is_configured: bool


def mail_routes(*, is_configured: bool) -> APIRouter:
    """What is asked about email."""
    routes = APIRouter()

    @routes.get("/internal/v1/mail", summary="Whether email can be sent")
    async def mail() -> MailBody:
        return MailBody(is_configured=is_configured)

    return routes
