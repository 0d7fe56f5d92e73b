"""Who calls, from the request's headers; and the use cases, from the application."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.datastructures import Headers

from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import NotAuthenticated
from rondo_gateway.handlers.use_cases import UseCases


def bearer_of(headers: Headers) -> str | None:
    """The credential in ``Authorization: Bearer …``; None without one.

    Raises:
        NotAuthenticated: the header is there, but is not of that form.
    """
    header = headers.get("authorization")
    if header is None:
        return None
    scheme, _, credential = header.partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise NotAuthenticated("Send the credential as 'Authorization: Bearer <credential>'.")
    return credential.strip()


def use_cases_of(request: Request) -> UseCases:
    """The use cases of the application that serves this request."""
    return cast("UseCases", request.app.state.use_cases)


async def _use_cases(request: Request) -> UseCases:
    return use_cases_of(request)  # A coroutine, so that FastAPI needs no thread for it.


async def _caller(request: Request) -> Principal:
    credential = bearer_of(request.headers)
    if credential is None:
        raise NotAuthenticated("Send a credential as 'Authorization: Bearer <credential>'.")
    use_cases = use_cases_of(request)
    caller = await use_cases.authentication.identify(credential)
    await use_cases.presence.note_request(caller)
    return caller


Caller = Annotated[Principal, Depends(_caller)]
Gateway = Annotated[UseCases, Depends(_use_cases)]
