"""Conditions of rules: which visitors a rule is for."""

from __future__ import annotations

from enum import StrEnum

from rondo_common.conversation import Value

Scalar = str | int | float | bool | None


class Operator(StrEnum):
    """How an attribute is compared. Text compares without case."""

    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    IN = "in"
    GREATER_THAN = "greater_than"
    LESS_THAN = "less_than"
    IS_EMPTY = "is_empty"
    IS_NOT_EMPTY = "is_not_empty"


class All(Value):
    """Every one of them is met; met when there are none."""

    all: tuple[Condition, ...]


class Any(Value):
    """At least one of them is met; not met when there are none."""

    any: tuple[Condition, ...]


class Comparison(Value):
    """One attribute, compared. ``value`` is a list for ``in``, absent for ``is_empty`` and its opposite."""

    attribute: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...] = None


Condition = All | Any | Comparison

All.model_rebuild()
Any.model_rebuild()
