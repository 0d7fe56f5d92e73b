"""Conditions of rules: which visitors a rule is for, and whether a request meets them.

Every comparison makes a :class:`Claim` about one attribute, affirmed or denied:
``is_not``, ``not_contains`` and ``is_empty`` are the denials of ``is``, ``contains`` and ``is_not_empty``.
Nothing that is claimed holds for an empty attribute (missing, null or empty text), so its denial does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from math import isfinite

from rondo_common.conversation import Request, Value, Visitor, email_domain

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
    """One attribute, compared. ``value`` is a list for ``in``, absent for ``is_empty`` and its opposite.

    A list where one value belongs stands for any of its values. Nothing compares with null; an empty text
    is one that nothing equals, and everything contains that is not empty.
    """

    attribute: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...] = None

    @cached_property
    def claim(self) -> Claim:
        """What is claimed about the attribute; worked out once."""
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        operands = tuple(operand_of(each) or EMPTY_TEXT for each in values if each is not None)
        denied = _DENIALS.get(self.operator)
        return Claim(denied or self.operator, operands, is_affirmed=denied is None)


Condition = All | Any | Comparison

All.model_rebuild()
Any.model_rebuild()


def is_met(condition: Condition, request: Request) -> bool:
    """Whether the visitor who asked with ``request`` meets ``condition``."""
    return Facts(request).meet(condition)


class Facts:
    """What a request says, each attribute read once: for many conditions about one request."""

    __slots__ = ("_operands", "_request")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._operands: dict[str, Operand | None] = {}

    def meet(self, condition: Condition) -> bool:
        """Whether they meet ``condition``.

        Goes as deep as the condition does; one that was ever JSON is nested some 100 deep at most,
        because its parser refuses more.
        """
        if isinstance(condition, Comparison):
            return condition.claim.is_met_by(self._operand(condition.attribute))
        if isinstance(condition, All):
            for each in condition.all:  # noqa: SIM110 - a generator costs a third frame a level
                if not self.meet(each):
                    return False
            return True
        for each in condition.any:  # noqa: SIM110 - the same
            if self.meet(each):
                return True
        return False

    def _operand(self, attribute: str) -> Operand | None:
        try:
            return self._operands[attribute]
        except KeyError:
            operand = operand_of(attribute_of(self._request, attribute))
            self._operands[attribute] = operand
            return operand


_VISITOR_FIELDS = frozenset(Visitor.model_fields) - {"attributes"}
_VISITOR_ATTRIBUTE = "attributes."


def attribute_of(request: Request, attribute: str) -> Scalar:
    """The value of a named attribute; None where the request has none of that name.

    ``visitor.<field>``, ``visitor.email_domain``, ``visitor.attributes.<name>``, ``page.url`` and
    ``answers.<name>``; names may hold dots.
    """
    scope, _, name = attribute.partition(".")
    match scope:
        case "visitor":
            return _of_visitor(request.visitor, name)
        case "answers":
            return request.answers.get(name)
        case "page" if name == "url" and request.page is not None:
            return request.page.url
    return None


def _of_visitor(visitor: Visitor, name: str) -> Scalar:
    if name in _VISITOR_FIELDS:
        value: Scalar = getattr(visitor, name)
        return value
    if name == "email_domain":
        return email_domain(visitor.email)
    if name.startswith(_VISITOR_ATTRIBUTE):
        return visitor.attributes.get(name.removeprefix(_VISITOR_ATTRIBUTE))
    return None


@dataclass(frozen=True, slots=True)
class Operand:
    """A value as it is compared."""

    text: str
    """Without case; of a number as JSON writes it."""
    key: int | float | str
    """The number it is, or its text. Equal values have equal keys, and no number equals a text."""

    @property
    def is_number(self) -> bool:
        """Whether it compares with numbers as a number."""
        return not isinstance(self.key, str)


EMPTY_TEXT = Operand("", "")
"""Only ever what is compared with: an attribute of this value is empty."""


def operand_of(value: Scalar) -> Operand | None:
    """An attribute of this value as it is compared; None when it is empty."""
    if isinstance(value, str):
        text = value.casefold()
        return Operand(text, _number(text)) if text else None
    if value is None:
        return None
    text = str(value).casefold()
    is_number = not isinstance(value, bool) and isfinite(value)
    return Operand(text, value if is_number else text)


DIGITS_MAX = 300
"""Of a text that is a number; a longer one is a text like any other."""
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]+")


def _number(text: str) -> int | float | str:
    """The finite number that ``text`` writes, whole numbers exactly; else ``text``."""
    if len(text) > DIGITS_MAX or _DECIMAL.fullmatch(text) is None:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text)
    return number if isfinite(number) else text


@dataclass(frozen=True, slots=True)
class Claim:
    """That an operator holds between an attribute and any of some operands, or that it does not."""

    operator: Operator
    """One that is no denial."""
    operands: tuple[Operand, ...]
    is_affirmed: bool
    keys: frozenset[int | float | str] = field(init=False, repr=False, compare=False)
    _test: Test = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", frozenset(each.key for each in self.operands))
        object.__setattr__(self, "_test", _TESTS[self.operator])

    def is_met_by(self, actual: Operand | None) -> bool:
        """Whether an attribute of this value (None: empty) is as claimed."""
        return (actual is not None and self._test(actual, self)) is self.is_affirmed

    def denied(self) -> Claim:
        """The claim that is met exactly when this one is not."""
        return Claim(self.operator, self.operands, is_affirmed=not self.is_affirmed)


Test = Callable[[Operand, Claim], bool]

_DENIALS: Mapping[Operator, Operator] = {
    Operator.IS_NOT: Operator.IS,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.IS_EMPTY: Operator.IS_NOT_EMPTY,
}


def _equals(actual: Operand, claim: Claim) -> bool:
    return actual.key in claim.keys


def _contains(actual: Operand, claim: Claim) -> bool:
    return any(each.text in actual.text for each in claim.operands)


def _starts_with(actual: Operand, claim: Claim) -> bool:
    return any(actual.text.startswith(each.text) for each in claim.operands)


def _greater_than(actual: Operand, claim: Claim) -> bool:
    return any(_is_less(each, actual) for each in claim.operands)


def _less_than(actual: Operand, claim: Claim) -> bool:
    return any(_is_less(actual, each) for each in claim.operands)


def _is_less(one: Operand, other: Operand) -> bool:
    if isinstance(one.key, str) or isinstance(other.key, str):
        return one.text < other.text
    return one.key < other.key


_TESTS: Mapping[Operator, Test] = {
    Operator.IS: _equals,
    Operator.IN: _equals,
    Operator.CONTAINS: _contains,
    Operator.STARTS_WITH: _starts_with,
    Operator.GREATER_THAN: _greater_than,
    Operator.LESS_THAN: _less_than,
    Operator.IS_NOT_EMPTY: lambda _actual, _claim: True,
}
