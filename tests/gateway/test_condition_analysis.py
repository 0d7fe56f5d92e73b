"""What can be known about conditions without a visitor at hand."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from rondo_common.conditions import All, Any, Condition, Operator, Scalar, attribute_of, is_met
from rondo_common.conversation import Request
from rondo_gateway.domain.condition_analysis import (
    STEPS_PER_CONDITION_MAX,
    Analysis,
    Certainty,
    Work,
    WorkExceeded,
    comparisons_of,
)
from tests.common.conditioned import ATTRIBUTE, asked, compare

EMAIL, DOMAIN, NAME = "visitor.email", "visitor.email_domain", "visitor.first_name"
WORK_PLENTY = 1_000_000


def every(*members: Condition) -> All:
    return All(all=members)


def some(*members: Condition) -> Any:
    return Any(any=members)


def implied(one: Condition, other: Condition) -> Certainty:
    return Analysis(one).implies(Analysis(other), Work(WORK_PLENTY))


# --- what must be found ------------------------------------------------------------------------

NEVER_MET: list[Condition] = [
    some(),
    every(some(), compare("is", "SE")),
    compare("is", ""),
    compare("in", ()),
    compare("in", ("", None)),
    compare("contains", None),
    compare("less_than", ""),
    every(compare("is_not_empty"), compare("not_contains", "")),
    every(compare("is", 5), compare("not_contains", "")),
    every(compare("starts_with", ""), compare("is_empty")),
    every(compare("is", "SE"), compare("is", "NO")),
    every(compare("is", "SE"), compare("is_not", "se")),
    every(compare("is", "5"), compare("is_not", 5.0)),
    every(compare("is", 5), compare("is", "five")),
    every(compare("is", True), compare("is", "false")),
    every(compare("in", ("SE", "NO")), compare("in", ("DK", "FI"))),
    every(compare("in", ("SE", "NO")), compare("is_not", "SE"), compare("is_not", "NO")),
    every(compare("is", "Sweden"), compare("starts_with", "N")),
    every(compare("is", "Sweden"), compare("not_contains", "WED")),
    every(compare("is", "Sweden"), compare("greater_than", "t")),
    every(compare("is", 5), compare("contains", "x")),
    every(compare("is", 5), compare("greater_than", 7)),
    every(compare("is", 5), compare("less_than", "5.0")),
    every(compare("is_empty"), compare("is_not_empty")),
    every(compare("is_empty"), compare("contains", "x")),
    every(compare("is_empty"), compare("less_than", 5)),
    every(compare("contains", "sales"), compare("not_contains", "ale")),
    every(compare("starts_with", "sales"), compare("not_contains", "ale")),
    every(compare("starts_with", "head"), compare("starts_with", "vice")),
    every(compare("starts_with", "b"), compare("less_than", "a")),
    every(compare("starts_with", "b"), compare("greater_than", "c")),
    every(compare("greater_than", "m"), compare("less_than", "c")),
    every(compare("greater_than", "m"), compare("less_than", "m")),
    every(compare("greater_than", 500), compare("less_than", 100)),
    every(compare("greater_than", 5), compare("less_than", 5)),
    every(
        some(compare("is", "a"), compare("is", "b")),
        some(compare("is", "c"), compare("is", "d")),
    ),
    some(
        every(compare("is", "a"), compare("is", "b")),
        every(compare("is", "a", NAME), compare("is_empty", None, NAME)),
    ),
    every(compare("is", "ada@example.com", EMAIL), compare("is", "example.org", DOMAIN)),
    every(compare("is_empty", None, EMAIL), compare("is", "example.org", DOMAIN)),
    every(compare("in", ("a@x.org", "b@y.org"), EMAIL), compare("starts_with", "z", DOMAIN)),
]


@pytest.mark.parametrize("condition", NEVER_MET)
def test_what_contradicts_itself_is_found(condition: Condition) -> None:
    assert Analysis(condition).is_never_met() is Certainty.PROVEN


@pytest.mark.parametrize(
    "condition",
    [
        every(compare("greater_than", 100), compare("less_than", 50)),
        every(compare("greater_than", 5), compare("contains", "x")),
        every(compare("greater_than", 5), compare("is", "abc")),
    ],
)
def test_what_no_number_meets_is_told_from_what_nobody_meets(condition: Condition) -> None:
    assert Analysis(condition).is_never_met() is Certainty.FOR_NUMBERS


def test_a_text_between_two_numbers_is_the_reason_for_telling_them_apart() -> None:
    condition = every(compare("greater_than", 100), compare("less_than", 50))
    assert is_met(condition, asked("2x"))
    assert not any(is_met(condition, asked(number)) for number in range(200))


@pytest.mark.parametrize(
    "condition",
    [
        every(),
        compare("is", "SE"),
        every(compare("is", "SE"), compare("is", "NO", NAME)),
        every(compare("is", "5.0"), compare("is", 5), compare("contains", ".")),
        every(compare("is", 7), compare("not_contains", "7")),
        every(compare("is", 99), compare("greater_than", "9-")),
        every(compare("is", 1), compare("less_than", "+x")),
        every(compare("is_not", "SE"), compare("is_not", "NO")),
        every(compare("is_empty"), compare("not_contains", "x"), compare("is_not", "y")),
        every(compare("greater_than", 5), compare("less_than", 5.5)),
        every(compare("starts_with", "b"), compare("greater_than", "ba"), compare("less_than", "bb")),
        every(compare("is", "ada@example.com", EMAIL), compare("is", "EXAMPLE.com", DOMAIN)),
        every(compare("is_not_empty", None, EMAIL), compare("is_empty", None, DOMAIN)),
        some(every(compare("is", "a"), compare("is", "b")), compare("is", "c")),
    ],
)
def test_what_somebody_may_meet_is_left_alone(condition: Condition) -> None:
    assert Analysis(condition).is_never_met() is Certainty.UNPROVEN


A, B, C = compare("is", "a"), compare("is", "b", NAME), compare("contains", "c", "page.url")

IMPLIED: list[tuple[Condition, Condition]] = [
    (A, every()),
    (A, A),
    (compare("is", "SE"), compare("is", "se")),
    (compare("is", "5"), compare("is", 5.0)),
    (compare("is", "SE"), compare("in", ("NO", "SE"))),
    (compare("in", ("NO", "SE")), compare("in", ("DK", "SE", "NO"))),
    (compare("in", ("NO", "SE")), some(compare("is", "SE"), compare("is", "NO"))),
    (some(compare("is", "SE"), compare("is", "NO")), compare("in", ("NO", "SE"))),
    (compare("is", "SE"), compare("is_not", "NO")),
    (compare("is", "SE"), compare("is_not_empty")),
    (compare("is_empty"), compare("is_not", "SE")),
    (compare("is_empty"), compare("not_contains", "SE")),
    (compare("contains", "sales"), compare("contains", "ale")),
    (compare("not_contains", "ale"), compare("not_contains", "sales")),
    (compare("starts_with", "sales"), compare("starts_with", "sa")),
    (compare("starts_with", "sales"), compare("contains", "ale")),
    (compare("starts_with", "sales"), compare("is_not_empty")),
    (compare("greater_than", 200), compare("greater_than", 100)),
    (compare("greater_than", 100), compare("greater_than", 100)),
    (compare("less_than", "b"), compare("less_than", "c")),
    (compare("is", 7), compare("greater_than", 5)),
    (compare("is_not_empty"), compare("contains", "")),
    (compare("not_contains", ""), compare("is_empty")),
    (compare("greater_than", ""), compare("starts_with", "")),
    (every(A, B), A),
    (every(A, B), every(B, A)),
    (A, some(A, B)),
    (every(A, some(B, C)), some(every(A, B), every(A, C))),
    (some(every(A, B), every(A, C)), every(A, some(B, C))),
    (compare("is", "ada@example.com", EMAIL), compare("is", "example.com", DOMAIN)),
    (compare("is", "example.com", DOMAIN), compare("is_not_empty", None, EMAIL)),
    (some(), A),
]


@pytest.mark.parametrize(("one", "other"), IMPLIED)
def test_what_includes_another_is_found(one: Condition, other: Condition) -> None:
    assert implied(one, other) is Certainty.PROVEN


def test_a_smaller_number_is_included_as_long_as_it_is_a_number() -> None:
    one, other = compare("greater_than", 100), compare("greater_than", 50)
    assert implied(one, other) is Certainty.FOR_NUMBERS
    assert is_met(one, asked("2x"))
    assert not is_met(other, asked("2x"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (every(), A),
        (A, B),
        (A, every(A, B)),
        (some(A, B), A),
        (compare("in", ("NO", "SE")), compare("is", "SE")),
        (compare("is_not", "SE"), compare("is_not_empty")),
        (compare("contains", "ale"), compare("contains", "sales")),
        (compare("greater_than", 100), compare("greater_than", 200)),
        (compare("is", 7), compare("contains", "7")),
        (compare("is_not_empty", None, EMAIL), compare("is_not_empty", None, DOMAIN)),
    ],
)
def test_what_does_not_include_another_is_left_alone(one: Condition, other: Condition) -> None:
    assert implied(one, other) is Certainty.UNPROVEN


def test_the_attributes_that_contradict_are_named() -> None:
    condition = some(
        every(compare("is", "a"), compare("is", "b")), every(B, compare("is_empty", None, NAME))
    )
    assert Analysis(condition).contradictions() == [ATTRIBUTE, NAME]
    assert Analysis(every(A, B)).contradictions() == []


# --- bounds ------------------------------------------------------------------------------------


def _tangled(width: int) -> Condition:
    """A condition of as many clauses as 2 to the power of ``width``, none of which can be met."""
    choices = [
        some(compare("is", "x", f"answers.{number}"), compare("is", "y", f"answers.{number}"))
        for number in range(width)
    ]
    return every(*choices, compare("is", "a"), compare("is", "b"))


def test_what_takes_too_many_clauses_stays_unproven() -> None:
    assert Analysis(_tangled(4)).is_never_met() is Certainty.PROVEN
    too_many = STEPS_PER_CONDITION_MAX.bit_length()
    assert Analysis(_tangled(too_many)).is_never_met() is Certainty.UNPROVEN
    assert implied(_tangled(too_many), A) is Certainty.UNPROVEN
    assert implied(A, every(_tangled(too_many), A)) is Certainty.UNPROVEN


def test_a_question_takes_no_more_work_than_it_is_given() -> None:
    one, other = Analysis(compare("is", "a")), Analysis(compare("in", ("a", "b")))
    assert one.implies(other, Work(4)) is Certainty.PROVEN
    with pytest.raises(WorkExceeded):
        one.implies(other, Work(3))


def test_a_condition_as_deep_as_json_can_nest_is_analysed() -> None:
    condition: Condition = every(compare("is", "a"), compare("is", "b"))
    for _ in range(49):
        condition = some(every(condition))
    assert Analysis(condition).is_never_met() is Certainty.PROVEN
    assert implied(condition, condition) is Certainty.PROVEN


# --- against every value of a pool -------------------------------------------------------------

TEXTS = ["".join(each) for length in (1, 2, 3) for each in itertools.product("ab5.-", repeat=length)]
POOL: list[Scalar] = [None, "", True, False, "true", "f", -1, 0, 4.5, 5, 5.0, 6, 55, 555, "1e1", 10, *TEXTS]
"""Values that an attribute is tried with: what conditions are made of here, and what lies between."""
POOL_REQUESTS = [asked(each) for each in POOL]
VALUES = st.sampled_from(
    [
        "a",
        "A",
        "ab",
        "b",
        "ba",
        "5",
        "05",
        "5.0",
        "55",
        "-",
        ".5",
        "5a",
        "1e1",
        "",
        None,
        True,
        5,
        4.5,
        10,
        -1,
    ]
)


def _comparisons(
    attributes: st.SearchStrategy[str], operators: list[Operator]
) -> st.SearchStrategy[Condition]:
    return st.builds(
        compare,
        st.sampled_from(operators),
        VALUES | st.lists(VALUES, max_size=3).map(tuple),
        attributes,
    )


def _trees(leaves: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=4).map(lambda members: every(*members))
            | st.lists(inner, max_size=3).map(lambda members: some(*members))
        ),
        max_leaves=8,
    )


CONDITIONS = _trees(_comparisons(st.just(ATTRIBUTE), list(Operator)))


def _is_number(value: Scalar) -> bool:
    """Whether a value of the pool is a number, told without the code under test."""
    if isinstance(value, bool) or value is None:
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True


def _fits(certainty: Certainty, request: Request, *conditions: Condition) -> bool:
    """Whether a request is one that a finding of this certainty speaks about."""
    ordered = {
        each.attribute
        for condition in conditions
        for each in comparisons_of(condition)
        if each.operator in {Operator.GREATER_THAN, Operator.LESS_THAN}
        and any(map(_is_number, each.value if isinstance(each.value, tuple) else (each.value,)))
    }
    values = [attribute_of(request, attribute) for attribute in ordered]
    return certainty is Certainty.PROVEN or all(each in {None, ""} or _is_number(each) for each in values)


@given(CONDITIONS)
@settings(max_examples=400, deadline=None)
def test_what_is_never_met_is_met_by_no_value(condition: Condition) -> None:
    certainty = Analysis(condition).is_never_met()
    event(certainty.name)
    if certainty is not Certainty.UNPROVEN:
        met = [each for each in POOL_REQUESTS if is_met(condition, each)]
        assert [each for each in met if _fits(certainty, each, condition)] == []


@given(CONDITIONS, CONDITIONS)
@settings(max_examples=400, deadline=None)
def test_what_implies_another_has_no_value_to_the_contrary(one: Condition, other: Condition) -> None:
    certainty = implied(one, other)
    event(certainty.name)
    if certainty is not Certainty.UNPROVEN:
        contrary = [each for each in POOL_REQUESTS if is_met(one, each) and not is_met(other, each)]
        assert [each for each in contrary if _fits(certainty, each, one, other)] == []


EQUALITIES = [
    Operator.IS,
    Operator.IS_NOT,
    Operator.IN,
    Operator.IS_EMPTY,
    Operator.IS_NOT_EMPTY,
]


@given(_trees(_comparisons(st.just(ATTRIBUTE), EQUALITIES)))
@settings(max_examples=300, deadline=None)
def test_of_equalities_everything_that_is_never_met_is_found(condition: Condition) -> None:
    is_met_by_some = any(is_met(condition, each) for each in POOL_REQUESTS)
    assert (Analysis(condition).is_never_met() is Certainty.PROVEN) is not is_met_by_some


@given(
    _trees(_comparisons(st.just(ATTRIBUTE), EQUALITIES)),
    _trees(_comparisons(st.just(ATTRIBUTE), EQUALITIES)),
)
@settings(max_examples=300, deadline=None)
def test_of_equalities_everything_that_is_implied_is_found(one: Condition, other: Condition) -> None:
    is_contradicted = any(is_met(one, each) and not is_met(other, each) for each in POOL_REQUESTS)
    assert (implied(one, other) is Certainty.PROVEN) is not is_contradicted


ADDRESSES = [None, "", "a@b", "A@B", "ab@a", "5@5", "a", "b@", "a@b@ab", "5"]
PEOPLE = [
    asked(it, email=email, attributes={"it": it})
    for email in ADDRESSES
    for it in (None, "a", "5", 5, "ab", "5a", 10)
]
OF_PEOPLE = _trees(
    _comparisons(st.sampled_from([ATTRIBUTE, DOMAIN]), list(Operator))
    | st.builds(
        compare,
        st.sampled_from(list(Operator)),
        st.sampled_from(ADDRESSES),
        st.sampled_from([EMAIL, DOMAIN]),
    )
)


@given(OF_PEOPLE, OF_PEOPLE)
@settings(max_examples=400, deadline=None)
def test_findings_over_several_attributes_hold_for_everybody(one: Condition, other: Condition) -> None:
    never, included = Analysis(one).is_never_met(), implied(one, other)
    event(f"{never.name} {included.name}")
    for request in PEOPLE:
        if never is not Certainty.UNPROVEN and _fits(never, request, one):
            assert not is_met(one, request)
        if (
            included is not Certainty.UNPROVEN
            and _fits(included, request, one, other)
            and is_met(one, request)
        ):
            assert is_met(other, request)
