"""What one conversation is found by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rondo_common.ids import ConversationId, WorkspaceId
from rondo_history.domain.fact import Fact


class ConversationKey(NamedTuple):
    """A conversation's place in the tables, and its order among others."""

    workspace_id: WorkspaceId
    conversation_id: ConversationId


def key_of(fact: Fact) -> ConversationKey:
    """The key of the conversation a fact happened in."""
    return ConversationKey(fact.workspace_id, fact.conversation_id)


def columns_of(keys: Iterable[ConversationKey]) -> tuple[list[str], list[str]]:
    """The keys as two arrays: workspaces and conversations."""
    ordered = list(keys)
    return [each.workspace_id for each in ordered], [each.conversation_id for each in ordered]
