"""Which conditions are taken, and how the place of a defect is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from rondo_common.condition_checks import COMPARISONS_MAX, DEPTH_MAX, IN_VALUES_MAX, condition_defects
from rondo_common.conditions import Condition, Operator

CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)
FROM_SWEDEN = {"attribute": "visitor.country", "operator": "is", "value": "SE"}

attributes = st.sampled_from(
    [
        "visitor.id",
        "visitor.email",
        "visitor.email_domain",
        "visitor.attributes.plan",
        "page.url",
        "answers.a b",
    ]
)
values = st.text(max_size=5).filter(lambda text: "\x00" not in text) | st.integers(-5, 5) | st.booleans()
comparisons = st.one_of(
    st.fixed_dictionaries(
        {
            "attribute": attributes,
            "operator": st.sampled_from(["is", "is_not", "contains", "not_contains", "starts_with"]),
            "value": values,
        }
    ),
    st.fixed_dictionaries(
        {
            "attribute": attributes,
            "operator": st.sampled_from(["greater_than", "less_than"]),
            "value": st.floats(-5, 5) | st.just("b"),
        }
    ),
    st.fixed_dictionaries(
        {
            "attribute": attributes,
            "operator": st.just("in"),
            "value": st.lists(values, min_size=1, max_size=3),
        }
    ),
    st.fixed_dictionaries(
        {"attribute": attributes, "operator": st.sampled_from(["is_empty", "is_not_empty"])},
        optional={"value": st.none()},
    ),
)
conditions = st.recursive(
    comparisons,
    lambda inner: st.builds(
        lambda name, parts: {name: parts}, st.sampled_from(["all", "any"]), st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | comparisons,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "attribute", "operator", "value"]) | st.text(), inner, max_size=3
        )
    ),
    max_leaves=10,
)


@given(conditions)
def test_a_condition_as_the_contract_has_it_is_taken_and_reads_as_written(tree: Any) -> None:
    assert condition_defects(tree) == []
    told = json.loads(CONDITION.dump_json(CONDITION.validate_python(tree), exclude_none=True))
    assert told == json.loads(json.dumps(_without_null_values(tree)))


@given(anything)
def test_whatever_is_taken_can_be_read_and_whatever_is_not_is_named(tree: Any) -> None:
    defects = condition_defects(tree)
    for defect in defects:
        _walk(tree, defect.path)
        assert defect.detail
    if not defects:
        CONDITION.validate_python(tree)


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        ("visitor.country is SE", ()),
        ([FROM_SWEDEN], ()),
        ({}, ()),
        (None, ()),
        ({"all": [FROM_SWEDEN], "any": []}, ()),
        ({"all": FROM_SWEDEN}, ()),
        ({"all": [FROM_SWEDEN, {"not": FROM_SWEDEN}]}, ("all", 1)),
        ({"any": [{"all": [None]}]}, ("any", 0, "all", 0)),
        ({**FROM_SWEDEN, "surprise": 1}, ("surprise",)),
        ({"all": [{**FROM_SWEDEN, "attribute": "country"}]}, ("all", 0, "attribute")),
        ({**FROM_SWEDEN, "attribute": "visitor.attributes"}, ("attribute",)),
        ({**FROM_SWEDEN, "attribute": "visitor.attributes."}, ("attribute",)),
        ({**FROM_SWEDEN, "attribute": "visitor.shoe_size"}, ("attribute",)),
        ({**FROM_SWEDEN, "attribute": "answers." + "x" * 101}, ("attribute",)),
        ({**FROM_SWEDEN, "attribute": "answers.\x00"}, ("attribute",)),
        ({**FROM_SWEDEN, "attribute": "Visitor.Country"}, ("attribute",)),
        ({**FROM_SWEDEN, "attribute": 7}, ("attribute",)),
        ({**FROM_SWEDEN, "operator": "equals"}, ("operator",)),
        ({**FROM_SWEDEN, "operator": ["is"]}, ("operator",)),
        ({**FROM_SWEDEN, "operator": None}, ("operator",)),
        ({"attribute": "visitor.country"}, ("operator",)),
        ({"attribute": "visitor.country", "operator": "is"}, ("value",)),
        ({**FROM_SWEDEN, "value": None}, ("value",)),
        ({**FROM_SWEDEN, "value": ["SE"]}, ("value",)),
        ({**FROM_SWEDEN, "value": {"a": 1}}, ("value",)),
        ({**FROM_SWEDEN, "value": "\x00"}, ("value",)),
        ({**FROM_SWEDEN, "value": "\ud800"}, ("value",)),
        ({**FROM_SWEDEN, "value": "x" * 1001}, ("value",)),
        ({**FROM_SWEDEN, "value": float("nan")}, ("value",)),
        ({**FROM_SWEDEN, "value": float("inf")}, ("value",)),
        ({**FROM_SWEDEN, "value": 2**63}, ("value",)),
        ({**FROM_SWEDEN, "operator": "in"}, ("value",)),
        ({**FROM_SWEDEN, "operator": "in", "value": []}, ("value",)),
        ({**FROM_SWEDEN, "operator": "in", "value": ["SE", None]}, ("value",)),
        ({**FROM_SWEDEN, "operator": "in", "value": ["SE", ["NO"]]}, ("value",)),
        ({**FROM_SWEDEN, "operator": "in", "value": ["x"] * (IN_VALUES_MAX + 1)}, ("value",)),
        ({**FROM_SWEDEN, "operator": "is_empty"}, ("value",)),
        ({**FROM_SWEDEN, "operator": "is_not_empty", "value": False}, ("value",)),
        ({**FROM_SWEDEN, "operator": "greater_than", "value": True}, ("value",)),
        ({**FROM_SWEDEN, "operator": "less_than", "value": [1]}, ("value",)),
    ],
)
def test_the_place_of_the_defect_is_named(tree: Any, path: tuple[str | int, ...]) -> None:
    assert [defect.path for defect in condition_defects(tree)] == [path]


def test_all_defects_are_named_at_once_in_the_order_they_stand() -> None:
    tree = {"all": [{**FROM_SWEDEN, "attribute": "x"}, {"any": [1]}, {**FROM_SWEDEN, "value": None}]}
    assert [each.path for each in condition_defects(tree)] == [
        ("all", 0, "attribute"),
        ("all", 1, "any", 0),
        ("all", 2, "value"),
    ]


def test_every_operator_is_taken_with_a_value_that_fits() -> None:
    fitting: dict[Operator, Any] = dict.fromkeys(Operator, "x")
    fitting |= {Operator.IN: ["x"], Operator.IS_EMPTY: None, Operator.IS_NOT_EMPTY: None}
    for operator, value in fitting.items():
        assert (
            condition_defects({"attribute": "page.url", "operator": operator.value, "value": value}) == []
        )


def test_depth_and_number_have_an_end() -> None:
    tree: Any = FROM_SWEDEN
    for _ in range(DEPTH_MAX):
        tree = {"any": [tree]}
    assert condition_defects(tree) == []
    assert [each.path for each in condition_defects({"all": [tree]})] == [
        ("all", 0, *["any", 0] * (DEPTH_MAX - 1))
    ]
    for _ in range(5_000):
        tree = {"any": [tree]}
    assert len(condition_defects(tree)) == 1
    assert condition_defects({"all": [FROM_SWEDEN] * COMPARISONS_MAX}) == []
    assert [each.path for each in condition_defects({"all": [FROM_SWEDEN] * (COMPARISONS_MAX + 1)})] == [()]


def _without_null_values(tree: Any) -> Any:
    match tree:
        case dict():
            return {name: _without_null_values(each) for name, each in tree.items() if each is not None}
        case list():
            return [_without_null_values(each) for each in tree]
    return tree


def _walk(tree: Any, path: tuple[str | int, ...]) -> None:
    """Every step of the path is there, but for the last: that may be what is missing."""
    for step in path[:-1]:
        tree = tree[step]
    assert not path or isinstance(tree, dict | list)
