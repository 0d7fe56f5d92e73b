"""Request bodies are checked before anything else looks at them: size, type, encoding."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rondo_common.problems import Problem, problem_response, trace_id_of
from rondo_gateway.domain.limits import BODY_BYTES_MAX, IMPORT_BYTES_MAX

BODY_WAIT_S = 20.0
IMPORT_PATH = "/v1/accounts/import"
"""Where a file is taken, as it comes."""
IMPORT_WAIT_S = 300.0
METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class RequestBodies:
    """ASGI middleware: reads the body, refuses what is too large, slow, not JSON or not UTF-8."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body checked, or answer with a problem."""
        if scope["type"] != "http" or scope["method"] not in METHODS_WITH_BODY:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] == "POST" and scope["path"] == IMPORT_PATH:
            await self._pass_file(headers, scope, receive, send)
            return
        try:
            body = await _read(headers, receive)
            if body is None:
                return  # The caller left.
            _check(headers, body)
        except Problem as problem:
            await problem_response(problem, trace_id_of(headers))(scope, receive, send)
            return
        await self._app(scope, _replayed(body, receive), send)

    async def _pass_file(self, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a file on while it comes; what is wrong with it is raised where it is read."""
        try:
            _check_file(headers)
        except Problem as problem:
            await problem_response(problem, trace_id_of(headers))(scope, receive, send)
            return
        await self._app(scope, _metered(receive), send)


async def _read(headers: Headers, receive: Receive) -> bytes | None:
    """The whole body; None when the caller left before its end."""
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > BODY_BYTES_MAX:
        raise _too_large(BODY_BYTES_MAX)
    parts = bytearray()
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                parts += message.get("body", b"")
                if len(parts) > BODY_BYTES_MAX:
                    raise _too_large(BODY_BYTES_MAX)
                if not message.get("more_body", False):
                    return bytes(parts)
    except TimeoutError:
        raise _too_slow(BODY_WAIT_S) from None


def _check(headers: Headers, body: bytes) -> None:
    if not body:
        return
    if _media_type(headers) != "application/json":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "Send the body as JSON, with 'Content-Type: application/json'.",
        )
    try:
        body.decode()
    except UnicodeDecodeError as error:
        detail = f"The body is not UTF-8 at byte {error.start}. Send JSON in UTF-8."
        raise Problem(HTTPStatus.BAD_REQUEST, "malformed-request", detail) from None


def _check_file(headers: Headers) -> None:
    if _media_type(headers) != "text/csv":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "Send the file as CSV in UTF-8, with 'Content-Type: text/csv'.",
        )
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > IMPORT_BYTES_MAX:
        raise _too_large(IMPORT_BYTES_MAX)


def _metered(receive: Receive) -> Receive:
    """The pieces of a file, as long as they keep coming and are not too many."""
    count = 0
    loop = asyncio.get_running_loop()
    ends_at_s = loop.time() + IMPORT_WAIT_S

    async def measured() -> Message:
        nonlocal count
        try:
            async with asyncio.timeout_at(min(loop.time() + BODY_WAIT_S, ends_at_s)):
                message = await receive()
        except TimeoutError:
            raise _too_slow(BODY_WAIT_S) from None
        count += len(message.get("body", b""))
        if count > IMPORT_BYTES_MAX:
            raise _too_large(IMPORT_BYTES_MAX)
        return message

    return measured


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _too_slow(wait_s: float) -> Problem:
    detail = f"The body did not arrive within {wait_s:.0f} seconds. Send it again."
    return Problem(HTTPStatus.REQUEST_TIMEOUT, "request-timeout", detail)


def _too_large(bytes_max: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-large",
        f"The body is larger than {bytes_max} bytes. Send less.",
    )


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives the body in one piece, and after that whatever comes, such as the caller's leaving."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
