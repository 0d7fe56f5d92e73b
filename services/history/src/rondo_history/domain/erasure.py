"""Erasure: what others must forget too, once a visitor's data is gone from here."""

from __future__ import annotations

from dataclasses import dataclass

from rondo_common.ids import AgentId, ConversationId


@dataclass(frozen=True, slots=True)
class Erased:
    """A conversation that was erased, and everybody who was rung for it: they were told of its visitor."""

    conversation_id: ConversationId
    agent_ids: tuple[AgentId, ...]
