"""What would become of a chat request: the answer to "who would be offered it, and why"."""

from __future__ import annotations

from typing import Literal

from rondo_common.conversation import AgentCard, Fallback, FallbackReason, Queue, Value, Why
from rondo_common.ids import AgentId


class PlannedStage(Value):
    """One stage of a route plan: a pool in which agents take turns, or one agent."""

    name: Literal["account_owner", "round_robin", "agent", "custom_rule", "team"]
    pool: str | None = None
    """``all``, ``team:<id>`` or ``rule:<id>``; None for a single agent."""
    agent_id: AgentId | None = None
    attempts: int
    """How many offers may go unanswered from here on, before the request falls back."""


class RoutePreview(Value):
    """The plan for a request, and what would happen now. ``why`` speaks of the stage that decided."""

    stages: tuple[PlannedStage, ...]
    guard: FallbackReason | None = None
    """Why no stage is tried at all."""
    outcome: Literal["offered", "queued", "fell_back"]
    agent: AgentCard | None = None
    queue: Queue | None = None
    fallback: Fallback | None = None
    why: Why
