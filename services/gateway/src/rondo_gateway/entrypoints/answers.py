"""Answers as JSON, straight from the models."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import Response
from pydantic import BaseModel


def json_answer(
    model: BaseModel, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """The response that shows ``model``."""
    body = model.model_dump_json()
    return Response(body, status_code=status, headers=dict(headers or {}), media_type="application/json")


def no_content() -> Response:
    """The response that says it is done."""
    return Response(status_code=HTTPStatus.NO_CONTENT)
