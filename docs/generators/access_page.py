"""The page of who may do what at Kafka, from the registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from docs.generators.table_page import page_with_table
from rondo_common.access import USERS, grants

PLACE = "<!-- access -->\n"
HEAD = "| user | resource | may |\n| --- | --- | --- |\n"


def access_markdown(template: Path) -> str:
    """The page: ``template`` with the table in its place. Deterministic."""
    return page_with_table(template, PLACE, (HEAD, *_rows()))


def _rows() -> Iterator[str]:
    for user in USERS:
        for grant in grants(user):
            yield f"| {user} | {grant.resource} `{grant.name}` | {', '.join(grant.operations)} |\n"
