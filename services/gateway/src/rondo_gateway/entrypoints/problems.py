"""Refusals as problems: the gateway's part of the one mapping to HTTP codes."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from starlette.responses import Response

from rondo_common.errors import Conflict, Unavailable
from rondo_common.problems import (
    Problem,
    answer_with_problems,
    conflict,
    defect,
    problem_response,
    trace_id_of,
    unavailable,
)
from rondo_gateway.domain.refusals import (
    ForeignPage,
    Invalid,
    LimitReached,
    LinkInvalid,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    OriginNotAllowed,
    PreconditionFailed,
    TooLarge,
)
from rondo_gateway.entrypoints.origins import refuse_origin

REFUSALS = (
    NotAuthenticated,
    NotPermitted,
    NotFound,
    PreconditionFailed,
    TooLarge,
    LimitReached,
    Invalid,
)
CODES: Mapping[type[Exception], str] = {
    LinkInvalid: "sign-in-link-invalid",
    OriginNotAllowed: "origin-not-allowed",
    ForeignPage: "csrf",
}
"""The refusals that clients tell apart from others of the same status."""
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="rondo"'}


def answer_refusals(app: FastAPI) -> None:
    """Let every error of ``app`` leave as problem+json."""
    answer_with_problems(app)
    for refusal in REFUSALS:
        app.add_exception_handler(refusal, _on_refusal)


async def _on_refusal(request: Request, error: Exception) -> Response:
    if isinstance(error, OriginNotAllowed):
        refuse_origin(request.scope)
    return problem_response(problem_of(error), trace_id_of(request.headers))


def problem_of(error: Exception) -> Problem:
    """The problem that tells a refusal."""
    match error:
        case NotAuthenticated():
            status = HTTPStatus.UNAUTHORIZED
            return Problem(status, _code(error, "not-authenticated"), str(error), headers=CHALLENGE)
        case NotPermitted():
            return Problem(HTTPStatus.FORBIDDEN, _code(error, "not-permitted"), str(error))
        case NotFound():
            return Problem(HTTPStatus.NOT_FOUND, "not-found", str(error))
        case PreconditionFailed():
            return Problem(HTTPStatus.PRECONDITION_FAILED, "precondition-failed", str(error))
        case TooLarge():
            return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", str(error))
        case LimitReached(retry_after_s=retry_after_s):
            headers = {"Retry-After": str(retry_after_s)}
            return Problem(HTTPStatus.TOO_MANY_REQUESTS, "limit-reached", str(error), headers=headers)
        case Invalid(pointer=pointer, detail=detail, code=code):
            errors = [{"pointer": pointer, "detail": detail}]
            return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, str(error), errors=errors)
    raise error


def _code(error: Exception, ordinary: str) -> str:
    return CODES.get(type(error), ordinary)


def any_problem(error: Exception, where: str, trace_id: str) -> Problem:
    """The problem that tells any error, where no HTTP answer can; ``where`` is for the log."""
    match error:
        case Problem():
            return error
        case Conflict():
            return conflict(error)
        case Unavailable():
            return unavailable(error)
    return problem_of(error) if isinstance(error, REFUSALS) else defect(error, where, trace_id)
