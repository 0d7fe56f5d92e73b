"""Errors over HTTP: ``application/problem+json`` (RFC 9457), mapped in this one place."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rondo_common.errors import Conflict, Unavailable

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 2
_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$")


class Problem(Exception):
    """A request that is refused. ``code`` ends the type URN; ``detail`` says what to do."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers


def invalid(pointer: str, detail: str) -> Problem:
    """422 for one field; ``pointer`` is its JSON pointer in the body, such as ``/visitor/email``."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-request",
        f"{pointer}: {detail}",
        errors=[{"pointer": pointer, "detail": detail}],
    )


def answer_with_problems(app: FastAPI) -> None:
    """Let every error of ``app`` leave as problem+json; whatever is not foreseen is a logged 500."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Conflict, _on_conflict)
    app.add_exception_handler(Unavailable, _on_unavailable)
    app.add_exception_handler(Exception, _on_defect)


def problem_body(problem: Problem, trace_id: str) -> dict[str, Any]:
    """``problem`` as JSON tells it."""
    body: dict[str, Any] = {
        "type": f"urn:rondo:error:{problem.code}",
        "title": problem.status.phrase,
        "status": problem.status.value,
        "detail": problem.detail,
        "trace_id": trace_id,
    }
    if problem.errors is not None:
        body["errors"] = problem.errors
    return body


def problem_response(problem: Problem, trace_id: str) -> JSONResponse:
    """The response that tells ``problem``."""
    return JSONResponse(
        problem_body(problem, trace_id),
        status_code=problem.status.value,
        media_type="application/problem+json",
        headers=dict(problem.headers or {}),
    )


def trace_id_of(headers: Mapping[str, str]) -> str:
    """The caller's W3C trace id, or a fresh one."""
    match = _TRACEPARENT.match(headers.get("traceparent", ""))
    return match[1] if match else uuid.uuid4().hex


def _respond(request: Request, problem: Problem) -> JSONResponse:
    return problem_response(problem, trace_id_of(request.headers))


async def _on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this class only
    return _respond(request, error)


async def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    return _respond(request, invalid_fields(error.errors()))


def invalid_fields(found: Sequence[Any]) -> Problem:
    """What pydantic found wrong, each with a ``loc`` that begins with where it stands, such as ``body``."""
    if any(each["type"] == "json_invalid" for each in found):
        detail = f"The body is not JSON: {found[0].get('ctx', {}).get('error', 'cannot be read')}"
        return Problem(HTTPStatus.BAD_REQUEST, "malformed-request", detail)
    errors = [{"pointer": _pointer(each["loc"]), "detail": each["msg"]} for each in found]
    detail = "; ".join(f"{each['pointer'] or 'body'}: {each['detail']}" for each in errors[:3])
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, errors=errors)


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "-")
    detail = error.detail
    if status is HTTPStatus.NOT_FOUND and detail == status.phrase:
        detail = f"There is no {request.url.path} here; see /docs for what there is."
    return _respond(request, Problem(status, code, detail, headers=error.headers))


async def _on_conflict(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Conflict)  # noqa: S101 - registered for this class only
    return _respond(request, conflict(error))


def conflict(error: Conflict) -> Problem:
    """The problem that tells what the present state refuses."""
    return Problem(HTTPStatus.CONFLICT, error.code, error.detail)


async def _on_unavailable(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Unavailable)  # noqa: S101 - registered for this class only
    return _respond(request, unavailable(error))


def unavailable(error: Unavailable) -> Problem:
    """The problem that tells what is out of reach; it is logged, too."""
    log.warning("request_not_taken", dependency=error.dependency, reason=str(error))
    detail = (
        f"The request was not taken because {error.dependency} is out of reach. "
        "Repeat it, with the same Idempotency-Key or client_message_id if it has one."
    )
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, headers=headers)


async def _on_defect(request: Request, error: Exception) -> JSONResponse:
    trace_id = trace_id_of(request.headers)
    return problem_response(defect(error, request.url.path, trace_id), trace_id)


def defect(error: Exception, path: str, trace_id: str) -> Problem:
    """The problem that tells what is not foreseen; it is logged, too."""
    log.error("request_failed", path=path, trace_id=trace_id, exc_info=error)
    detail = "This is a defect of Rondo, not of the request. Report it with the trace_id."
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", detail)


def _pointer(location: tuple[int | str, ...]) -> str:
    """The JSON pointer of a validation error; where it is no body field, its place and name."""
    where, *path = location
    # A name may hold half a surrogate pair, which no answer could be encoded with.
    names = [str(token).encode(errors="replace").decode() for token in path]
    tokens = [name.replace("~", "~0").replace("/", "~1") for name in names]
    prefix = "" if where == "body" else f"/{where}"
    return prefix + "".join(f"/{token}" for token in tokens)
