"""A page whose text is a template, and whose table is written from the code."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def page_with_table(template: Path, place: str, table: Iterable[str]) -> str:
    """``template`` with the lines of ``table`` in its ``place``, and a word on where the text is."""
    note = f"<!-- Written by `make generate`; the text is in docs/generators/{template.name}. -->\n"
    return note + template.read_text(encoding="utf-8").replace(place, "".join(table))
