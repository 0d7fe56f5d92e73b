"""Which values an attribute can have when several claims are made about it at once.

An attribute is empty, or a number, or a text that is no number; each of the three is looked at by itself,
with the same tests that decide about a visitor. Where it cannot be told, a value is possible: what is
found impossible here is impossible for every visitor, and not the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rondo_common.conditions import EMPTY_TEXT, Claim, Operand, Operator, operand_of

_EQUALITY = frozenset({Operator.IS, Operator.IN})
_ORDER = frozenset({Operator.GREATER_THAN, Operator.LESS_THAN})
_NUMBER_CHARACTERS = frozenset("0123456789+-.e")
"""All that the text of a number is made of."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What is left of an attribute's values."""

    may_be_empty: bool
    candidates: tuple[Operand, ...] | None
    """The only values it may have when it is not empty; None when they are too many to name."""

    @property
    def is_void(self) -> bool:
        """Whether there is no value left."""
        return not self.may_be_empty and self.candidates == ()


def extent_of(claims: Sequence[Claim], *, orders_only_numbers: bool = False) -> Extent:
    """What ``claims`` leave of the attribute they are about; each has one operand, or tests equality.

    With ``orders_only_numbers``, an attribute that is claimed to be greater or less than a number is
    assumed to be no text other than a number's.
    """
    may_be_empty = all(claim.is_met_by(None) for claim in claims)
    may_be_text = not (orders_only_numbers and any(map(is_about_number, claims)))
    equality = next((each for each in claims if each.is_affirmed and each.operator in _EQUALITY), None)
    if equality is not None:
        return Extent(may_be_empty, _among(equality.operands, claims, may_be_text=may_be_text))
    texts = _texts(claims) if may_be_text else ()
    return Extent(may_be_empty, texts if texts is None or not _may_be_number(claims) else None)


def is_about_number(claim: Claim) -> bool:
    """Whether the claim is about greater or less than a number."""
    return claim.operator in _ORDER and any(each.is_number for each in claim.operands)


def _among(
    operands: Sequence[Operand], claims: Sequence[Claim], *, may_be_text: bool
) -> tuple[Operand, ...]:
    """Those of the named values that every claim leaves possible."""
    return tuple(
        each
        for each in operands
        if each != EMPTY_TEXT
        and (
            _may_be_number(claims, each.key)
            if not isinstance(each.key, str)
            else may_be_text and all(claim.is_met_by(each) for claim in claims)
        )
    )


# --- numbers -----------------------------------------------------------------------------------


def _may_be_number(claims: Sequence[Claim], only: float | None = None) -> bool:
    """Whether some number (that one, if given) is left. A number is written in more than one way, so
    what is claimed about its text rules it out only where that is so however it is written."""
    interval = _Interval[float]()
    for claim in claims:
        if not _may_claim_of_number(claim):
            return False
        if claim.operator in _ORDER and claim.operands[0].is_number:
            interval.narrow(claim, _number(claim.operands[0]))
    if only is None:
        only = interval.only
    elif not interval.holds(only):
        return False
    if only is not None:
        return all((only in claim.keys) is claim.is_affirmed for claim in claims if _is_equality(claim))
    return not interval.is_void


def _may_claim_of_number(claim: Claim) -> bool:
    """Whether the claim can be met by some number, looking at nothing but this claim."""
    if claim.operator is Operator.IS_NOT_EMPTY:
        return claim.is_affirmed
    if _is_equality(claim):
        return not claim.is_affirmed or any(each.is_number for each in claim.operands)
    operand = claim.operands[0]
    if claim.operator in _ORDER:
        # Compared with a text that is no number, it is its text that counts.
        return operand.is_number or _may_order_before(claim, operand.text[:1])
    return _NUMBER_CHARACTERS.issuperset(operand.text) if claim.is_affirmed else operand != EMPTY_TEXT


def _may_order_before(claim: Claim, first: str) -> bool:
    """Whether the text of a number can stand to a text that begins with ``first`` as claimed."""
    must_be_greater = (claim.operator is Operator.GREATER_THAN) is claim.is_affirmed
    return first <= max(_NUMBER_STARTS) if must_be_greater else first >= min(_NUMBER_STARTS)


_NUMBER_STARTS = _NUMBER_CHARACTERS - {"e"}


def _number(operand: Operand) -> float:
    assert not isinstance(operand.key, str)  # noqa: S101 - asked for numbers only
    return operand.key


def _is_equality(claim: Claim) -> bool:
    return claim.operator in _EQUALITY


# --- texts -------------------------------------------------------------------------------------


def _texts(claims: Sequence[Claim]) -> tuple[Operand, ...] | None:
    """The texts that are no numbers and still possible: none, the only one, or None for many."""
    interval = _Interval(low="", low_is_open=True)
    for claim in claims:
        if claim.operator in _ORDER:
            interval.narrow(claim, claim.operands[0].text)
    if interval.only is not None:
        only = operand_of(interval.only)
        is_left = only is not None and not only.is_number and all(each.is_met_by(only) for each in claims)
        return (only,) if only is not None and is_left else ()
    if interval.is_void or _is_denied_being(claims):
        return ()
    prefix = max(_operands(claims, Operator.STARTS_WITH), key=len, default="")
    return () if _contradicts_prefix(claims, prefix) or _misses(interval, prefix) else None


def _is_denied_being(claims: Sequence[Claim]) -> bool:
    """Whether it must be empty, or contain what holds something it must not contain."""
    if any(each.operator is Operator.IS_NOT_EMPTY and not each.is_affirmed for each in claims):
        return True
    contained = _operands(claims, Operator.CONTAINS)
    return any(
        out in text for out in _operands(claims, Operator.CONTAINS, affirmed=False) for text in contained
    )


def _contradicts_prefix(claims: Sequence[Claim], prefix: str) -> bool:
    """Whether no text that starts with ``prefix`` starts with, and contains, what it must and must not."""
    return (
        not all(prefix.startswith(each) for each in _operands(claims, Operator.STARTS_WITH))
        or any(prefix.startswith(each) for each in _operands(claims, Operator.STARTS_WITH, affirmed=False))
        or any(each in prefix for each in _operands(claims, Operator.CONTAINS, affirmed=False))
    )


def _misses(interval: _Interval[str], prefix: str) -> bool:
    """Whether every text that starts with ``prefix`` is outside of the interval."""
    low, high = interval.low, interval.high
    is_above = high is not None and (high < prefix or (high == prefix and interval.high_is_open))
    return is_above or (low is not None and low > prefix and not low.startswith(prefix))


def _operands(claims: Sequence[Claim], operator: Operator, *, affirmed: bool = True) -> list[str]:
    return [
        each.operands[0].text
        for each in claims
        if each.operator is operator and each.is_affirmed is affirmed
    ]


# --- order -------------------------------------------------------------------------------------

K = TypeVar("K", float, str)


@dataclass(slots=True)
class _Interval(Generic[K]):
    """What lies between two bounds; None where there is none."""

    low: K | None = None
    low_is_open: bool = False
    high: K | None = None
    high_is_open: bool = False

    def narrow(self, claim: Claim, bound: K) -> None:
        """Leave what a claim of greater or less than ``bound`` leaves."""
        is_low = (claim.operator is Operator.GREATER_THAN) is claim.is_affirmed
        # To deny "less than 5" is to claim "5 or more".
        if is_low and (self.low is None or (bound, claim.is_affirmed) > (self.low, self.low_is_open)):
            self.low, self.low_is_open = bound, claim.is_affirmed
        if not is_low and (
            self.high is None or (bound, not claim.is_affirmed) < (self.high, not self.high_is_open)
        ):
            self.high, self.high_is_open = bound, claim.is_affirmed

    def holds(self, value: K) -> bool:
        """Whether ``value`` lies inside."""
        return not (
            (self.low is not None and (value < self.low or (value == self.low and self.low_is_open)))
            or (self.high is not None and (value > self.high or (value == self.high and self.high_is_open)))
        )

    @property
    def only(self) -> K | None:
        """The one value inside, if the bounds leave but one."""
        return self.low if self.low is not None and self.low == self.high and self.holds(self.low) else None

    @property
    def is_void(self) -> bool:
        """Whether nothing is inside for sure; between two different bounds there may be something."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_is_open or self.high_is_open))
