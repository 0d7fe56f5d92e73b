"""Versions over HTTP: ``ETag``, ``If-Match`` and ``If-None-Match`` (RFC 9110)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Response
from pydantic import BaseModel

from rondo_gateway.domain.preconditions import Preconditions, Versions
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.handlers.provisioned import Versioned

ShownT = TypeVar("ShownT", bound=BaseModel)

_TAG = re.compile(r'(W/)?"(-?\d{1,20})"', re.ASCII)

IfMatch = Annotated[
    str | None,
    Header(description="Only if what is there has this `ETag`; `*`: only if something is there"),
]
IfNoneMatch = Annotated[
    str | None,
    Header(description="Only if what is there has not this `ETag`; `*`: only if nothing is there"),
]
IfNoneMatchToRead = Annotated[
    str | None, Header(description="The `ETag` of what is known already: 304 if it is still so")
]


async def _to_write(if_match: IfMatch = None, if_none_match: IfNoneMatch = None) -> Preconditions:
    return Preconditions(_versions(if_match, weak=False), _versions(if_none_match, weak=True))


async def _to_change(if_match: IfMatch = None) -> Preconditions:
    return Preconditions(_versions(if_match, weak=False))


async def _to_read(if_none_match: IfNoneMatchToRead = None) -> Preconditions:
    return Preconditions(none_match=_versions(if_none_match, weak=True))


IfToWrite = Annotated[Preconditions, Depends(_to_write)]
"""Of a ``PUT``."""
IfToChange = Annotated[Preconditions, Depends(_to_change)]
"""Of a ``PATCH`` or ``DELETE``, whose object must be there."""
IfToRead = Annotated[Preconditions, Depends(_to_read)]
"""Of a ``GET``."""


def written(versioned: Versioned[ShownT]) -> Response:
    """The answer to a ``PUT`` or ``PATCH``: what is there now, and its version."""
    status = HTTPStatus.CREATED if versioned.is_new else HTTPStatus.OK
    return json_answer(versioned.shown, status, _headers(versioned.version))


def read(versioned: Versioned[ShownT], preconditions: Preconditions) -> Response:
    """The answer to a ``GET``: what is there and its version; 304 when the caller knows it."""
    if versioned.is_settled and preconditions.is_known(versioned.version):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=_headers(versioned.version))
    return json_answer(versioned.shown, HTTPStatus.OK, _headers(versioned.version))


def _headers(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


def _versions(header: str | None, *, weak: bool) -> Versions | None:
    """The versions a header names. What was never an ``ETag`` of ours is no version at all."""
    if header is None:
        return None
    if header.strip() == "*":
        return "any"
    return frozenset(int(number) for weakness, number in _TAG.findall(header) if weak or not weakness)
