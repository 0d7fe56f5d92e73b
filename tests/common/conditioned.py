"""Requests and conditions for tests, short to write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rondo_common.conditions import Comparison, Operator, Scalar
from rondo_common.conversation import CustomRulesRoute, Page, Request, Visitor
from rondo_common.ids import VisitorId

ATTRIBUTE = "visitor.attributes.it"


def asked(it: Scalar = None, *, page: str | None = None, **visitor: Any) -> Request:
    """A request by a visitor whose attribute ``it`` has that value."""
    return Request(
        visitor=Visitor(id=VisitorId("ada"), **({"attributes": {"it": it}} | visitor)),
        route=CustomRulesRoute(),
        page=None if page is None else Page(url=page),
        requested_at=datetime(2026, 7, 1, tzinfo=UTC),
    )


def compare(
    operator: str, value: Scalar | tuple[Scalar, ...] = None, attribute: str = ATTRIBUTE
) -> Comparison:
    """One comparison of the attribute ``it``, or of another."""
    return Comparison(attribute=attribute, operator=Operator(operator), value=value)
