"""Who calls, from the request's headers and cookie; and the use cases, from the application."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import NotAuthenticated
from rondo_gateway.domain.sign_in import SessionSecret
from rondo_gateway.entrypoints.session_cookies import require_own_page, secret_in
from rondo_gateway.handlers.use_cases import UseCases

SEND_CREDENTIAL = "Send a credential as 'Authorization: Bearer <credential>'"


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


async def stream_caller(use_cases: UseCases, connection: HTTPConnection) -> Principal:
    """Who opens a stream; browsers can set no header, so the credential may stand in the query."""
    credential = bearer_of(connection.headers) or connection.query_params.get("access_token")
    if credential:
        return await use_cases.authentication.identify(credential)
    return await use_cases.authentication.identify_session(
        _own_secret(connection, f"{SEND_CREDENTIAL} or as ?access_token=.", is_stream=True)
    )


async def _use_cases(request: Request) -> UseCases:
    return use_cases_of(request)  # A coroutine, so that FastAPI needs no thread for it.


async def _caller(request: Request) -> Principal:
    credential = bearer_of(request.headers)
    use_cases = use_cases_of(request)
    if credential is not None:
        caller = await use_cases.authentication.identify(credential)
    else:
        secret = _own_secret(request, f"{SEND_CREDENTIAL}.")
        caller = await use_cases.authentication.identify_session(secret)
    await use_cases.presence.note_request(caller)
    return caller


async def _browser_session(request: Request) -> SessionSecret:
    return _own_secret(request, "There is no session in this browser. Sign in.")


def _own_secret(connection: HTTPConnection, missing: str, *, is_stream: bool = False) -> SessionSecret:
    """The secret of the browser's session, sent from one of the gateway's own pages."""
    secret = secret_in(connection)
    if secret is None:
        raise NotAuthenticated(missing)
    require_own_page(connection, secret, is_stream=is_stream)
    return secret


Caller = Annotated[Principal, Depends(_caller)]
BrowserSession = Annotated[SessionSecret, Depends(_browser_session)]
"""The session in the browser's cookie, whatever else is shown; whether it goes on is yet to be seen."""
Gateway = Annotated[UseCases, Depends(_use_cases)]
