"""Whether conditions can be met at all, and whether one includes another: without any visitor at hand.

A condition is taken apart into clauses: each a set of claims to be met all together, and the condition is
met when one of its clauses is. Clauses that contradict themselves are left out. One condition implies
another when none of its clauses goes together with a clause of the other's denial. Either can come to very
many clauses; the work is bounded, and what would take more stays unproven.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import chain

from rondo_common.conditions import All, Any, Claim, Comparison, Condition, Operator, operand_of
from rondo_common.conversation import email_domain
from rondo_gateway.domain.attribute_extent import extent_of, is_about_number

STEPS_PER_CONDITION_MAX = 10_000
"""To take one condition apart; one that takes more stays unproven."""

_EMAIL, _EMAIL_DOMAIN = "visitor.email", "visitor.email_domain"
_EMAIL_PAIR = frozenset({_EMAIL, _EMAIL_DOMAIN})
"""Attributes that depend on each other."""

Clause = dict[str, tuple[Claim, ...]]
"""Claims by attribute, to be met all together."""


class Certainty(IntEnum):
    """How far something was proven."""

    UNPROVEN = 0
    """It may be so or not."""
    FOR_NUMBERS = 1
    """It is so as long as what is to be greater or less than a number is a number, or empty."""
    PROVEN = 2
    """It is so for every visitor."""


class WorkExceeded(Exception):
    """The question takes more work than is allowed: leave it open."""


@dataclass(slots=True)
class Work:
    """How many steps may still be taken. A step looks at one value of one comparison."""

    left: int

    def take(self, steps: int) -> None:
        """Take some. Raises ``WorkExceeded`` when there are not as many left."""
        self.left -= steps
        if self.left < 0:
            raise WorkExceeded


class Analysis:
    """One condition, taken apart once for many questions."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._clauses: dict[tuple[bool, bool], _Clauses] = {}
        self._is_about_numbers = any(is_about_number(each.claim) for each in comparisons_of(condition))

    def is_never_met(self) -> Certainty:
        """Whether no visitor can meet it."""
        proven = Certainty.UNPROVEN
        for certainty in self._certainties():
            if not self._taken_apart(certainty).are_none:
                break
            proven = certainty
        return proven

    def contradictions(self) -> list[str]:
        """The attributes about which it contradicts itself somewhere, in order of name."""
        found = set[str]()
        for certainty in self._certainties():
            found |= self._taken_apart(certainty).contradictions
        return sorted(found)

    def implies(self, other: Analysis, work: Work) -> Certainty:
        """Whether every visitor who meets it meets ``other``; vacuously so when nobody does.

        Raises:
            WorkExceeded: that takes more than ``work``.
        """
        proven = Certainty.UNPROVEN
        for certainty in sorted({*self._certainties(), *other._certainties()}):
            denial = other._taken_apart(certainty, is_affirmed=False)
            if not self._taken_apart(certainty).exclude(denial, work):
                break
            proven = certainty
        return proven

    def _certainties(self) -> Sequence[Certainty]:
        """The degrees worth trying, the least first: where that fails, no other succeeds."""
        both = (Certainty.FOR_NUMBERS, Certainty.PROVEN)
        return both if self._is_about_numbers else both[1:]

    def _taken_apart(self, certainty: Certainty, *, is_affirmed: bool = True) -> _Clauses:
        orders_only_numbers = certainty is Certainty.FOR_NUMBERS
        key = (is_affirmed, orders_only_numbers)
        if key not in self._clauses:
            self._clauses[key] = _take_apart(
                self._condition, is_affirmed=is_affirmed, orders_only_numbers=orders_only_numbers
            )
        return self._clauses[key]


def comparisons_of(condition: Condition) -> Iterable[Comparison]:
    """Every comparison in it, in order."""
    waiting = [condition]
    while waiting:
        match waiting.pop():
            case Comparison() as comparison:
                yield comparison
            case All(all=members) | Any(any=members):
                waiting.extend(reversed(members))


@dataclass(slots=True)
class _Clauses:
    """The clauses of a condition, or of its denial, that do not contradict themselves."""

    orders_only_numbers: bool
    work: Work = field(default_factory=lambda: Work(STEPS_PER_CONDITION_MAX))
    known: list[Clause] | None = None
    """None when there were too many."""
    contradictions: set[str] = field(default_factory=set)

    @property
    def are_none(self) -> bool:
        """Whether it is certain that there are none."""
        return self.known == []

    def exclude(self, others: _Clauses, work: Work) -> bool:
        """Whether it is certain that none of them goes together with one of the others."""
        if self.known is None or others.known is None:
            return False
        return not any(self._go_together(one, other, work) for other in others.known for one in self.known)

    def _go_together(self, one: Clause, other: Clause, work: Work) -> bool:
        affected = _affected_by(other)
        if affected.isdisjoint(one):
            work.take(1)
            return True  # Each goes by itself, and what one says does not touch the other.
        return self._contradiction(_merged(one, other), affected, work) is None

    def of(self, condition: Condition, *, is_affirmed: bool) -> list[Clause]:
        """The clauses of one part. Raises ``WorkExceeded``."""
        match condition:
            case Comparison():
                return self._of_claim(condition.attribute, condition.claim, is_affirmed=is_affirmed)
            case All(all=members):
                is_conjunction = is_affirmed
            case Any(any=members):
                is_conjunction = not is_affirmed
        clauses: list[Clause] = [{}] if is_conjunction else []
        for each in members:
            further = self.of(each, is_affirmed=is_affirmed)
            clauses = self._both(clauses, further) if is_conjunction else clauses + further
        return clauses

    def _of_claim(self, attribute: str, claim: Claim, *, is_affirmed: bool) -> list[Clause]:
        clauses: list[Clause] = []
        for claims in _single(claim if is_affirmed else claim.denied()):
            clause: Clause = {attribute: claims} if claims else {}
            if self._contradiction(clause, frozenset(clause), self.work) is None:
                clauses.append(clause)
            else:
                self.contradictions.add(attribute)
        return clauses

    def _both(self, ones: list[Clause], others: list[Clause]) -> list[Clause]:
        """Every clause of the one together with every clause of the other, where they go together."""
        found = []
        for one in ones:
            for other in others:
                merged = _merged(one, other)
                contradiction = self._contradiction(merged, _affected_by(other), self.work)
                if contradiction is None:
                    found.append(merged)
                else:
                    self.contradictions.add(contradiction)
        return found

    def _contradiction(self, clause: Clause, attributes: frozenset[str], work: Work) -> str | None:
        """The first of the attributes that the clause leaves no value, if there is one."""
        work.take(1)
        for attribute in sorted(attributes):
            claims = clause.get(attribute, ())
            work.take(sum(len(each.operands) for each in claims))
            if extent_of(claims, orders_only_numbers=self.orders_only_numbers).is_void:
                return attribute
        is_void = not _EMAIL_PAIR.isdisjoint(attributes) and _is_without_email(clause)
        return _EMAIL_DOMAIN if is_void else None


def _take_apart(condition: Condition, *, is_affirmed: bool, orders_only_numbers: bool) -> _Clauses:
    clauses = _Clauses(orders_only_numbers)
    try:
        clauses.known = clauses.of(condition, is_affirmed=is_affirmed)
    except WorkExceeded:
        clauses.known = None
    return clauses


def _merged(one: Clause, other: Clause) -> Clause:
    return one | {attribute: one.get(attribute, ()) + claims for attribute, claims in other.items()}


def _affected_by(clause: Clause) -> frozenset[str]:
    """The attributes that can have other values because of the clause."""
    attributes = frozenset(clause)
    return attributes if attributes.isdisjoint(_EMAIL_PAIR) else attributes | _EMAIL_PAIR


def _single(claim: Claim) -> list[tuple[Claim, ...]]:
    """The claim as alternatives of claims to be met together, each with one operand at most, except
    those of equality. No alternative: it is never met; one without claims: always."""
    if claim.operator is Operator.IS_NOT_EMPTY or (
        claim.operator in {Operator.IS, Operator.IN} and claim.operands
    ):
        return [(claim,)]
    singles = [Claim(claim.operator, (each,), is_affirmed=claim.is_affirmed) for each in claim.operands]
    return [(each,) for each in singles] if claim.is_affirmed else [tuple(singles)]


def _is_without_email(clause: Clause) -> bool:
    """Whether no address has a domain that the clause allows, none at all included.

    Only addresses that the clause names are known well enough to tell; the extents of both are not void.
    """
    email = extent_of(clause.get(_EMAIL, ()))
    claims = clause.get(_EMAIL_DOMAIN, ())
    if email.candidates is None or any(each.is_number for each in email.candidates):
        return False
    domains = [operand_of(email_domain(each.text)) for each in email.candidates]
    left = chain([None] if email.may_be_empty else [], domains)
    return not any(all(claim.is_met_by(domain) for claim in claims) for domain in left)
