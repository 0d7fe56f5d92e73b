"""The chart's README: every value with its type, its default and what it says, from ``values.yaml``.

A value is described by the comment above it that begins with ``# --``, as helm-docs has it. A described
mapping or list is one row, with all that is in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PLACE = "<!-- values -->\n"
HEAD = "| value | type | default | says |\n| --- | --- | --- | --- |\n"
MARK = "# -- "
KEY = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z0-9_-]+):")
DEFAULT_CHARACTERS_MAX = 90


@dataclass(frozen=True, slots=True)
class Described:
    """One value: where it stands, and the comment above it."""

    path: tuple[str, ...]
    says: str


def chart_readme(template: Path, values: Path) -> str:
    """The README: ``template`` with the table in its place. Deterministic."""
    note = "<!-- Written by `make generate`; the text is in docs/generators/chart_readme.md. -->\n"
    text = values.read_text(encoding="utf-8")
    rows = [_row(each, yaml.safe_load(text)) for each in described(text)]
    return note + template.read_text(encoding="utf-8").replace(PLACE, HEAD + "".join(rows))


def described(text: str) -> Iterator[Described]:
    """Every described value of a ``values.yaml``, in its order."""
    above: list[tuple[int, str]] = []
    said: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith(MARK):
            said = [bare.removeprefix(MARK)]
        elif said and bare.startswith("# "):
            said.append(bare.removeprefix("# "))
        elif match := KEY.match(line):
            depth = len(match["indent"])
            above = [*(each for each in above if each[0] < depth), (depth, match["key"])]
            if said:
                yield Described(tuple(key for _, key in above), " ".join(said))
            said = []
        elif bare:
            said = []


def _row(each: Described, values: Any) -> str:
    value = values
    for key in each.path:
        value = value[key]
    cells = (f"`{'.'.join(each.path)}`", _type(value), _default(value), each.says)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _type(value: Any) -> str:
    kinds = {bool: "true or false", int: "whole number", str: "text", list: "list", dict: "mapping"}
    return kinds.get(type(value), "text")


def _default(value: Any) -> str:
    if value in ("", None):
        return "none"
    text = json.dumps(value, ensure_ascii=False)
    return f"`{text}`" if len(text) <= DEFAULT_CHARACTERS_MAX else "see `values.yaml`"
