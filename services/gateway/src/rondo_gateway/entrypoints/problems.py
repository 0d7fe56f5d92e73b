"""Refusals as problems: the gateway's part of the one mapping to HTTP codes."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request
from starlette.responses import Response

from rondo_common.problems import Problem, answer_with_problems, problem_response, trace_id_of
from rondo_gateway.domain.refusals import (
    Invalid,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    PreconditionFailed,
    TooLarge,
    TooMany,
)

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="rondo"'}


def answer_refusals(app: FastAPI) -> None:
    """Let every error of ``app`` leave as problem+json."""
    answer_with_problems(app)
    refusals = (NotAuthenticated, NotPermitted, NotFound, PreconditionFailed, TooLarge, Invalid, TooMany)
    for refusal in refusals:
        app.add_exception_handler(refusal, _on_refusal)


async def _on_refusal(request: Request, error: Exception) -> Response:
    return problem_response(problem_of(error), trace_id_of(request.headers))


def problem_of(error: Exception) -> Problem:
    """The problem that tells a refusal."""
    match error:
        case NotAuthenticated():
            status = HTTPStatus.UNAUTHORIZED
            return Problem(status, "not-authenticated", str(error), headers=CHALLENGE)
        case NotPermitted():
            return Problem(HTTPStatus.FORBIDDEN, "not-permitted", str(error))
        case NotFound():
            return Problem(HTTPStatus.NOT_FOUND, "not-found", str(error))
        case PreconditionFailed():
            return Problem(HTTPStatus.PRECONDITION_FAILED, "precondition-failed", str(error))
        case TooLarge():
            return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", str(error))
        case Invalid(pointer=pointer, detail=detail, code=code):
            errors = [{"pointer": pointer, "detail": detail}]
            return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, str(error), errors=errors)
        case TooMany(code=code, retry_after_s=retry_after_s):
            headers = {"Retry-After": str(retry_after_s)}
            return Problem(HTTPStatus.TOO_MANY_REQUESTS, code, str(error), headers=headers)
    raise error
