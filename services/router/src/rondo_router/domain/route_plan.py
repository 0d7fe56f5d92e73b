"""The route plan: where a chat request goes, decided before any counter is touched.

This is the routing rule of the product, read top to bottom: first the guards, then the stages of the
route that was asked for, in order. How a stage finds its candidate is the switchboard's part.
"""

from __future__ import annotations

from rondo_common.conversation import AgentRoute, FallbackReason, Request, RoundRobinRoute, Value
from rondo_common.directory.entries import FallbackSettings, WorkspaceSettings
from rondo_common.ids import AgentId

ALL_AGENTS = "all"
"""The pool of all live-chat agents of a workspace."""


class PoolStage(Value):
    """Round robin inside a pool: whose turn it is, among those who may be offered a chat."""

    name: str
    pool: str


class AgentStage(Value):
    """That agent or nobody."""

    name: str
    agent_id: AgentId


Stage = PoolStage | AgentStage


class RoutePlan(Value):
    """An ordered list of stages, and how often an offer may go unanswered before falling back."""

    stages: tuple[Stage, ...]
    attempts_max: int
    offer_timeout_s: int
    fallback: FallbackSettings
    fall_back_at_once: FallbackReason | None = None
    """Set by a guard: no stage is tried."""


def plan_route(request: Request, settings: WorkspaceSettings) -> RoutePlan:
    """The plan for ``request`` in a workspace with these settings. Changes nothing."""
    guard = _guard(settings)
    stages, attempts_max = _stages(request, settings)
    return RoutePlan(
        stages=() if guard else stages,
        attempts_max=attempts_max,
        offer_timeout_s=settings.offer_timeout_s,
        fallback=settings.fallback,
        fall_back_at_once=guard,
    )


def _guard(settings: WorkspaceSettings) -> FallbackReason | None:
    """Why the request falls back before anybody is asked, or None."""
    return None if settings.live_chat_enabled else FallbackReason.LIVE_CHAT_DISABLED


def _stages(request: Request, settings: WorkspaceSettings) -> tuple[tuple[Stage, ...], int]:
    """The stages of the route that was asked for, and its attempts."""
    match request.route:
        case RoundRobinRoute():
            stage = PoolStage(name="round_robin", pool=ALL_AGENTS)
            return (stage,), settings.offer_attempts.round_robin
        case AgentRoute(agent_id=agent_id):
            return (AgentStage(name="agent", agent_id=agent_id),), settings.offer_attempts.agent
