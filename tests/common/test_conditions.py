"""Which visitors meet a condition."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from rondo_common.conditions import All, Any, Comparison, Condition, Facts, Operator, Scalar, is_met
from rondo_common.conversation import Request
from tests.common.conditioned import asked, compare

DENYING = {"is_not", "not_contains", "is_empty"}

# Operator, actual, value of the comparison, whether it is met.
TABLE: list[tuple[str, Scalar, Scalar | tuple[Scalar, ...], bool]] = [
    # Text, without case.
    ("is", "Sweden", "sWEDEN", True),
    ("is", "Straße", "STRASSE", True),
    ("is", "Sweden", "Swede", False),
    ("is", " Sweden", "Sweden", False),
    ("is_not", "Sweden", "SWEDEN", False),
    ("is_not", "Sweden", "Norway", True),
    ("contains", "Head of SALES", "sales", True),
    ("contains", "Head of Sales", "of s", True),
    ("contains", "Sale", "sales", False),
    ("not_contains", "Head of SALES", "sales", False),
    ("not_contains", "Sale", "sales", True),
    ("starts_with", "Head of Sales", "HEAD", True),
    ("starts_with", "Head of Sales", "sales", False),
    ("in", "se", ("NO", "SE"), True),
    ("in", "dk", ("NO", "SE"), False),
    ("in", "se", (), False),
    ("greater_than", "Beta", "alpha", True),
    ("greater_than", "alpha", "ALPHA", False),
    ("greater_than", "alpha", "Beta", False),
    ("less_than", "Alpha", "beta", True),
    ("less_than", "alpha", "ALPHA", False),
    # Numbers, and text that is one.
    ("is", 5, 5, True),
    ("is", 5, 5.0, True),
    ("is", "5", 5, True),
    ("is", 5, "5.0", True),
    ("is", "05", "5", True),
    ("is", "+5", "5", True),
    ("is", "5e0", "5", True),
    ("is", ".5", 0.5, True),
    ("is", "0.1", 0.1, True),
    ("is", "-0", 0, True),
    ("is", 2**53, 2**53 + 1, False),
    ("is", str(2**53), str(2**53 + 1), False),
    ("is", "5 ", 5, False),
    ("is", "5", "5x", False),
    ("is_not", "5", 5.0, False),
    ("is_not", 5, 6, True),
    ("in", "7", (5, 7.0), True),
    ("in", 7, ("x", "07"), True),
    ("in", 8, (5, "x"), False),
    ("greater_than", "10", "9", True),
    ("greater_than", 10, "9.5", True),
    ("greater_than", "9", 9, False),
    ("less_than", "9", "10", True),
    ("less_than", "-1.5", -1, True),
    ("less_than", 9, 9, False),
    ("contains", 1234, 23, True),
    ("contains", "1234", 5, False),
    ("contains", 1.5, ".5", True),
    ("starts_with", 1234, "12", True),
    ("starts_with", "+1234", 12, False),
    ("not_contains", 1234, 23, False),
    # A number and a text that is none compare as text.
    ("is", 5, "five", False),
    ("is_not", 5, "five", True),
    ("greater_than", "abc", 5, True),
    ("greater_than", "10 people", 9, False),
    ("less_than", 10, "9 people", True),
    ("less_than", 5, "abc", True),
    # What looks like a number and is none.
    ("is", "1_000", 1000, False),
    ("is", "1,5", 1.5, False),
    ("is", "٥", 5, False),
    ("is", "0x5", 5, False),
    ("is", "nan", "NaN", True),
    ("is", "inf", "Infinity", False),
    ("greater_than", "1e999", 5, False),
    ("is", math.inf, "inf", True),
    # Truth values are the texts true and false.
    ("is", True, True, True),
    ("is", True, "TRUE", True),
    ("is", False, "false", True),
    ("is", True, 1, False),
    ("is", 0, False, False),
    ("is_not", True, False, True),
    ("in", True, ("false", "true"), True),
    ("contains", True, "ru", True),
    ("starts_with", False, "fal", True),
    ("greater_than", True, False, True),
    ("less_than", 1, True, True),
    # Empty and not.
    ("is_empty", "x", None, False),
    ("is_empty", 0, None, False),
    ("is_empty", False, None, False),
    ("is_empty", " ", None, False),
    ("is_not_empty", "x", None, True),
    ("is_not_empty", 0, None, True),
    ("is_not_empty", False, None, True),
    # An empty text is part of whatever there is, and before it.
    ("is", "x", "", False),
    ("is_not", "x", "", True),
    ("in", "x", ("", "X"), True),
    ("contains", "x", "", True),
    ("not_contains", "x", "", False),
    ("starts_with", 5, "", True),
    ("greater_than", "x", "", True),
    ("greater_than", -1, "", True),
    ("less_than", -1, "", False),
    # Nothing compares with null.
    ("is", "x", None, False),
    ("is_not", "x", None, True),
    ("contains", "null", None, False),
    ("not_contains", "x", None, True),
    ("in", "x", (None, "X"), True),
    ("greater_than", "x", None, False),
    ("less_than", "x", None, False),
    # A list where one value belongs stands for any of its values.
    ("is", "no", ("se", "no"), True),
    ("is_not", "no", ("se", "no"), False),
    ("is_not", "dk", ("se", "no"), True),
    ("contains", "abc", ("x", "b"), True),
    ("not_contains", "abc", ("x", "b"), False),
    ("starts_with", "abc", ("x", "ab"), True),
    ("greater_than", 7, (9, 5), True),
    ("less_than", 7, (5, 9), True),
    ("in", "se", "SE", True),
]


@pytest.mark.parametrize(("operator", "actual", "value", "met"), TABLE)
def test_every_operator_compares_every_kind_of_value(
    operator: str, actual: Scalar, value: Scalar | tuple[Scalar, ...], met: bool
) -> None:
    assert is_met(compare(operator, value), asked(actual)) is met


@pytest.mark.parametrize("operator", list(Operator))
@pytest.mark.parametrize("value", ["x", "", 5, True, ("x", 5), ("",)])
def test_an_empty_attribute_meets_what_denies_and_nothing_else(
    operator: Operator, value: Scalar | tuple[Scalar, ...]
) -> None:
    condition = compare(operator, value)
    for request in (asked(None), asked(""), asked(attributes={})):
        assert is_met(condition, request) is (operator in DENYING)


def test_attributes_are_found_by_their_names() -> None:
    request = asked(
        page="https://example.com/Pricing?x=1",
        first_name="Ada",
        email="Ada@Example.COM",
        company_size="200",
        attributes={"plan": "pro", "a.b": 1, "email": "other"},
    ).model_copy(update={"answers": {"topic": "prices", "x.y": False}})
    expected: dict[str, Scalar] = {
        "visitor.id": "ada",
        "visitor.first_name": "ada",
        "visitor.email": "ada@example.com",
        "visitor.email_domain": "example.com",
        "visitor.company_size": 200,
        "visitor.attributes.plan": "PRO",
        "visitor.attributes.a.b": 1,
        "visitor.attributes.email": "other",
        "page.url": "https://example.com/pricing?x=1",
        "answers.topic": "prices",
        "answers.x.y": False,
    }
    for attribute, value in expected.items():
        assert is_met(compare("is", value, attribute), request), attribute


@pytest.mark.parametrize(
    "attribute",
    [
        "visitor.last_name",
        "visitor.email_domain",
        "visitor.attributes.plan",
        "visitor.attributes",
        "visitor.model_fields",
        "visitor",
        "answers.topic",
        "answers",
        "page.url",
        "page.title",
        "route.type",
        "",
    ],
)
def test_what_a_request_does_not_say_is_empty(attribute: str) -> None:
    assert is_met(compare("is_empty", attribute=attribute), asked(attributes={}))


def test_all_of_nothing_is_met_and_any_of_nothing_is_not() -> None:
    assert is_met(All(all=()), asked())
    assert not is_met(Any(any=()), asked())


def test_a_comparison_stays_equal_to_its_like_after_it_was_used() -> None:
    used, fresh = compare("is", "x"), compare("is", "x")
    assert is_met(used, asked("x"))
    assert used == fresh
    assert used.model_dump() == fresh.model_dump()


def test_a_condition_as_deep_as_json_can_nest_is_decided() -> None:
    def nested(depth: int) -> str:
        innermost = '{"attribute": "visitor.id", "operator": "is", "value": "ada"}'
        return '{"all": [{"any": [' * depth + innermost + "]}]}" * depth

    conditions: TypeAdapter[Condition] = TypeAdapter(Condition)
    with pytest.raises(ValidationError, match="recursion"):
        conditions.validate_json(nested(50))
    assert is_met(conditions.validate_json(nested(49)), asked())


# --- against a plain evaluation ------------------------------------------------------------------

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-20, 20),
    st.sampled_from([0.5, 5.0, -1.5, 1e300]),
    st.sampled_from(["", "a", "A", "ab", "Ba", "b", "5", "05", "5.0", "1e1", "5x", "true", "-", ".", "e"]),
    st.text("aB5.-e", max_size=4),
)
COMPARISONS = st.builds(
    compare,
    st.sampled_from(list(Operator)),
    SCALARS | st.lists(SCALARS, max_size=3).map(tuple),
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    COMPARISONS,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda members: All(all=tuple(members)))
        | st.lists(inner, max_size=4).map(lambda members: Any(any=tuple(members)))
    ),
    max_leaves=12,
)


def plainly(condition: Condition, request: Request) -> bool:
    """The rules as they are written down, with none of the code under test."""
    match condition:
        case All(all=members):
            return all(plainly(each, request) for each in members)
        case Any(any=members):
            return any(plainly(each, request) for each in members)
        case Comparison(operator=operator, value=value):
            values = value if isinstance(value, tuple) else (value,)
            return _compares(str(operator), request.visitor.attributes.get("it"), values)


def _compares(operator: str, actual: Scalar, values: tuple[Scalar, ...]) -> bool:
    if operator in DENYING:
        opposite = {"is_not": "is", "not_contains": "contains", "is_empty": "is_not_empty"}
        return not _compares(opposite[operator], actual, values)
    if actual is None or actual == "":
        return False
    if operator == "is_not_empty":
        return True
    return any(_compares_one(operator, actual, each) for each in values if each is not None)


def _compares_one(operator: str, actual: Scalar, value: Scalar) -> bool:
    one, other = _text(actual), _text(value)
    if operator == "contains":
        return other in one
    if operator == "starts_with":
        return one[: len(other)] == other
    numbers = _decimal(actual), _decimal(value)
    if numbers[0] is not None and numbers[1] is not None:
        order = (numbers[0] > numbers[1]) - (numbers[0] < numbers[1])
    else:
        order = (one > other) - (one < other)
    return order == {"is": 0, "in": 0, "greater_than": 1, "less_than": -1}[operator]


def _text(value: Scalar) -> str:
    return str(value).casefold()


def _decimal(value: Scalar) -> Decimal | None:
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


@given(CONDITIONS, SCALARS)
@settings(deadline=None)
def test_conditions_of_any_nesting_are_met_as_written(condition: Condition, it: Scalar) -> None:
    assert is_met(condition, asked(it)) is plainly(condition, asked(it))


def denied(condition: Condition) -> Condition:
    """The condition that is met when this one is not, by De Morgan's laws."""
    match condition:
        case All(all=members):
            return Any(any=tuple(map(denied, members)))
        case Any(any=members):
            return All(all=tuple(map(denied, members)))
        case Comparison(operator=operator, value=value):
            pairs = [("is", "is_not"), ("contains", "not_contains"), ("is_not_empty", "is_empty")]
            opposites = dict(pairs) | {two: one for one, two in pairs} | {"in": "is_not"}
            return compare(opposites[operator], value)


ORDERED = {Operator.STARTS_WITH, Operator.GREATER_THAN, Operator.LESS_THAN}


@given(
    st.recursive(
        COMPARISONS.filter(lambda each: each.operator not in ORDERED),
        lambda inner: (
            st.lists(inner, max_size=4).map(lambda members: All(all=tuple(members)))
            | st.lists(inner, max_size=4).map(lambda members: Any(any=tuple(members)))
        ),
        max_leaves=12,
    ),
    SCALARS,
)
@settings(deadline=None)
def test_a_condition_and_its_denial_are_never_met_together_and_never_both_missed(
    condition: Condition, it: Scalar
) -> None:
    assert is_met(denied(condition), asked(it)) is not is_met(condition, asked(it))


@given(st.lists(CONDITIONS, max_size=5), SCALARS)
@settings(deadline=None)
def test_many_conditions_about_one_request_are_met_as_each_by_itself(
    conditions: list[Condition], it: Scalar
) -> None:
    facts = Facts(asked(it))
    assert [facts.meet(each) for each in conditions] == [is_met(each, asked(it)) for each in conditions]
