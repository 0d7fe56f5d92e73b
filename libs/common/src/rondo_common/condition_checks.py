"""Whether conditions, as somebody wrote them down, can be evaluated; and what exactly cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rondo_common.conditions import Operator
from rondo_common.conversation import Visitor

DEPTH_MAX = 10
"""How many ``all`` and ``any`` may stand inside each other."""
COMPARISONS_MAX = 200
IN_VALUES_MAX = 1_000
TEXT_LENGTH_MAX = 1_000
NAME_LENGTH_MAX = 100
"""Of an attribute's or an answer's name."""
INTEGER_MAX = 2**63 - 1

ATTRIBUTES = frozenset(
    {
        *(f"visitor.{name}" for name in Visitor.model_fields if name != "attributes"),
        "visitor.email_domain",
        "page.url",
    }
)
"""The attributes that have a name of their own."""
NAMED_ATTRIBUTES = ("visitor.attributes.", "answers.")
"""What comes before a name that the website chose."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ConditionDefect:
    """What cannot be taken: where in the tree it stands, and how it must be instead."""

    path: Path
    detail: str


def condition_defects(tree: object) -> list[ConditionDefect]:
    """Everything in the way of reading ``tree`` (parsed JSON) as a condition; nothing when it is one.

    Looks no deeper than :data:`DEPTH_MAX`, however deep the tree is.
    """
    count = 0
    defects: list[ConditionDefect] = []
    waiting: list[tuple[Any, Path, int]] = [(tree, (), 1)]
    while waiting:
        node, path, depth = waiting.pop()
        match node:
            case {"all": list(parts), **rest} | {"any": list(parts), **rest} if not rest:
                name = "all" if "all" in node else "any"
                if depth > DEPTH_MAX:
                    defects.append(ConditionDefect(path, f"is nested more than {DEPTH_MAX} deep"))
                    continue
                inner = [(part, (*path, name, index), depth + 1) for index, part in enumerate(parts)]
                waiting.extend(reversed(inner))
            case {"attribute": _}:
                count += 1
                defects.extend(_of_comparison(node, path))
            case _:
                defects.append(ConditionDefect(path, _SHAPES))
    if count > COMPARISONS_MAX:
        defects.append(ConditionDefect((), f"has {count} comparisons; {COMPARISONS_MAX} are allowed"))
    return defects


_SHAPES = 'must be {"all": […]}, {"any": […]}, or {"attribute": …, "operator": …, "value": …}'


def _of_comparison(node: Mapping[str, Any], path: Path) -> Iterator[ConditionDefect]:
    for name in node.keys() - {"attribute", "operator", "value"}:
        yield ConditionDefect((*path, name), "is no part of a comparison")
    if (detail := _of_attribute(node["attribute"])) is not None:
        yield ConditionDefect((*path, "attribute"), detail)
    try:
        operator = Operator(node.get("operator", ""))
    except ValueError:
        yield ConditionDefect((*path, "operator"), f"must be one of {', '.join(Operator)}")
        return
    if (detail := _of_value(operator, node.get("value"))) is not None:
        yield ConditionDefect((*path, "value"), detail)


def _of_attribute(attribute: object) -> str | None:
    if isinstance(attribute, str):
        if attribute in ATTRIBUTES:
            return None
        for prefix in NAMED_ATTRIBUTES:
            name = attribute.removeprefix(prefix)
            if name != attribute and 1 <= len(name) <= NAME_LENGTH_MAX and _is_storable(name):
                return None
    return (
        "must be a field of the visitor such as visitor.country, visitor.email_domain, "
        "visitor.attributes.<name>, page.url or answers.<name>"
    )


def _of_value(operator: Operator, value: object) -> str | None:
    match operator:
        case Operator.IS_EMPTY | Operator.IS_NOT_EMPTY:
            return None if value is None else f"{operator} takes no value"
        case Operator.IN:
            if isinstance(value, list) and 1 <= len(value) <= IN_VALUES_MAX and all(map(_is_scalar, value)):
                return None
            return f"in needs a list of 1 to {IN_VALUES_MAX} texts, numbers or truth values"
        case Operator.GREATER_THAN | Operator.LESS_THAN:
            is_ordered = _is_scalar(value) and not isinstance(value, bool)
            return None if is_ordered else f"{operator} needs a number or a text"
        case _:
            if _is_scalar(value):
                return None
            return (
                f"{operator} needs a text of at most {TEXT_LENGTH_MAX} characters, a number or a truth "
                "value; whether there is a value at all is asked with is_empty and is_not_empty"
            )


def _is_scalar(value: object) -> bool:
    match value:
        case bool():
            return True
        case int():
            return abs(value) <= INTEGER_MAX
        case float():
            return abs(value) < float("inf")
        case str():
            return len(value) <= TEXT_LENGTH_MAX and _is_storable(value)
    return False


def _is_storable(text: str) -> bool:
    """Whether every store on its way can keep it: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
