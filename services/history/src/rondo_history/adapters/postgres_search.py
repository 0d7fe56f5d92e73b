"""Which messages hold some terms: by the index of their grams, then by the texts themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rondo_common.ids import WorkspaceId
from rondo_history.adapters.rows import workspace_gram
from rondo_history.domain.search import grams_of

SAYING_MAX = 5_000
"""So many messages are looked at by the index; with more, the newest conversations are asked first."""

_LIKE = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


@dataclass(frozen=True, slots=True)
class Search:
    """The arguments of a search. Patterns are PostgreSQL's ``LIKE``."""

    workspace_id: WorkspaceId
    grams: list[int]
    patterns: list[str]

    @property
    def is_narrow(self) -> bool:
        """Whether the index helps: a lone ASCII character has no gram of its own."""
        return bool(self.grams)

    def arguments(self) -> tuple[object, ...]:
        """Those of ``conversations_saying``."""
        grams = [workspace_gram(self.workspace_id), *self.grams]
        return (self.workspace_id, grams, self.patterns, SAYING_MAX)


def saying(workspace_id: WorkspaceId, terms: Sequence[str]) -> Search:
    """The search for messages that hold all folded ``terms``."""
    grams = sorted({gram for term in terms for gram in grams_of(term)})
    return Search(workspace_id, grams, [f"%{term.translate(_LIKE)}%" for term in terms])
