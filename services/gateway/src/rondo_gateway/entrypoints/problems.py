"""Refusals as problems: the gateway's part of the one mapping to HTTP codes."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request
from starlette.responses import Response

from rondo_common.problems import Problem, answer_with_problems, problem_response, trace_id_of
from rondo_gateway.domain.refusals import (
    Invalid,
    LimitReached,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    OriginNotAllowed,
    PreconditionFailed,
    TooLarge,
)
from rondo_gateway.entrypoints.origins import refuse_origin

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="rondo"'}


def answer_refusals(app: FastAPI) -> None:
    """Let every error of ``app`` leave as problem+json."""
    answer_with_problems(app)
    for refusal in (
        NotAuthenticated,
        NotPermitted,
        NotFound,
        PreconditionFailed,
        TooLarge,
        LimitReached,
        Invalid,
    ):
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
            return Problem(status, "not-authenticated", str(error), headers=CHALLENGE)
        case OriginNotAllowed():
            return Problem(HTTPStatus.FORBIDDEN, "origin-not-allowed", str(error))
        case NotPermitted():
            return Problem(HTTPStatus.FORBIDDEN, "not-permitted", str(error))
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
