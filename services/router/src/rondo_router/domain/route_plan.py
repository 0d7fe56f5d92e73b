"""The route plan: where a chat request goes, decided before any counter is touched.

This is the routing rule of the product, read top to bottom: first the guards, then the account's owner,
then the stages of the route that was asked for, in order. How a stage finds its candidate is the
switchboard's part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal
from zoneinfo import ZoneInfo

from rondo_common.conditions import Facts
from rondo_common.conversation import (
    AgentRoute,
    CustomRulesRoute,
    FallbackReason,
    Request,
    RoundRobinRoute,
    TeamRoute,
    Value,
    email_domain,
)
from rondo_common.directory.entries import FallbackSettings, RuleEntry, WorkspaceSettings
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import AgentId, RuleId, TeamId

ALL_AGENTS = "all"
"""The pool of all live-chat agents of a workspace."""

IDLE_NOTICE_S_MAX = 60
IDLE_NOTICE_SHARE = 5
"""Both sides are warned a minute before the end, or a fifth of the whole time if that is less."""


def team_pool(team_id: TeamId) -> str:
    """The pool of a team's agents."""
    return f"team:{team_id}"


def rule_pool(rule_id: RuleId) -> str:
    """The pool of a rule's agents."""
    return f"rule:{rule_id}"


def members_of(directory: WorkspaceDirectory, pool: str) -> frozenset[AgentId]:
    """The agents who are in a pool, and exist."""
    kind, _, name = pool.partition(":")
    places: Mapping[AgentId, object] = directory.agents
    if kind == "team":
        team = directory.teams.get(TeamId(name))
        places = {} if team is None else team.entry.places
    elif kind == "rule":
        rule = directory.rules.get(RuleId(name))
        places = {} if rule is None else rule.entry.places
    return frozenset(places.keys() & directory.agents.keys())


class Stage(Value):
    """One place to look for a candidate: round robin inside ``pool``, or ``agent_id`` and nobody else.

    Offers that go unanswered are counted within a leg of the plan. Once there were ``attempts_max`` of
    them, the next leg begins.
    """

    name: Literal["account_owner", "round_robin", "agent", "custom_rule", "team"]
    leg: int
    attempts_max: int
    pool: str | None = None
    agent_id: AgentId | None = None


class QueuePlan(Value):
    """How the visitor waits when no stage has a candidate."""

    max_wait_s: int
    size_max: int


class Engagements(Value):
    """In which calendar month the request counts, and how many of that month are routed."""

    month: str
    routed_max: int | None


class IdlePlan(Value):
    """When an active chat in which nobody writes is over, and how long before both sides are warned."""

    timeout_ms: int
    notice_ms: int


class RoutePlan(Value):
    """An ordered list of stages, and what becomes of the request when they lead nowhere."""

    stages: tuple[Stage, ...]
    offer_timeout_s: int
    engagements: Engagements
    guard: FallbackReason | None = None
    """Why no stage is tried at all. The limit of engagements comes before ``blocked_email_domain``."""
    queue: QueuePlan | None = None
    nobody: FallbackReason = FallbackReason.NOBODY_AVAILABLE
    """Why it falls back when no stage has a candidate, and nobody waits."""
    unanswered: FallbackReason = FallbackReason.NOT_ANSWERED
    """Why it falls back when the attempts of the last leg are used up."""
    fallback: FallbackSettings
    idle: IdlePlan
    visitor_lease_s: int
    """For how long a visitor waits on after their last stream closed; 0: until they are told."""


class TransferPlan(Value):
    """Where a conversation is handed over to. Nobody takes it: it stays with its agent."""

    stage: Stage
    offer_timeout_s: int


def plan_route(request: Request, directory: WorkspaceDirectory) -> RoutePlan:
    """The plan for ``request`` as the workspace is provisioned now. Changes nothing."""
    settings = settings_of(directory)
    guard = _guard(request, settings)
    owner = _account_owner(request, directory)
    route = _route(request, directory, settings, leg=len(owner))
    no_rule = isinstance(request.route, CustomRulesRoute) and not route
    return RoutePlan(
        stages=() if guard else (*owner, *route),
        offer_timeout_s=settings.offer_timeout_s,
        engagements=Engagements(
            month=f"{request.requested_at.astimezone(ZoneInfo(settings.time_zone)):%Y-%m}",
            routed_max=settings.engagements_per_month_max,
        ),
        guard=guard,
        queue=None if no_rule else _queue(settings),
        nobody=FallbackReason.NO_RULE_MATCHED if no_rule else FallbackReason.NOBODY_AVAILABLE,
        unanswered=FallbackReason.NO_RULE_MATCHED if no_rule else FallbackReason.NOT_ANSWERED,
        fallback=settings.fallback,
        idle=_idle(settings.idle_timeout_s),
        visitor_lease_s=settings.visitor_lease_s,
    )


def plan_transfer(
    directory: WorkspaceDirectory, agent_id: AgentId | None, team_id: TeamId | None
) -> TransferPlan:
    """The plan for handing a conversation to one agent, or to a team."""
    settings = settings_of(directory)
    if team_id is None:
        stage = Stage(name="agent", leg=0, attempts_max=1, agent_id=agent_id)
    else:
        stage = Stage(
            name="team", leg=0, attempts_max=settings.offer_attempts.team, pool=team_pool(team_id)
        )
    return TransferPlan(stage=stage, offer_timeout_s=settings.offer_timeout_s)


def settings_of(directory: WorkspaceDirectory) -> WorkspaceSettings:
    """The workspace's settings. One that no longer exists treats what is under way as switched off."""
    if directory.workspace is None:
        return WorkspaceSettings(live_chat_enabled=False)
    return directory.workspace.settings


def _guard(request: Request, settings: WorkspaceSettings) -> FallbackReason | None:
    """Why the request falls back before anybody is asked, or None."""
    if not settings.live_chat_enabled:
        return FallbackReason.LIVE_CHAT_DISABLED
    if email_domain(request.visitor.email) in settings.blocked_email_domains:
        return FallbackReason.BLOCKED_EMAIL_DOMAIN
    return None


def _account_owner(request: Request, directory: WorkspaceDirectory) -> tuple[Stage, ...]:
    """The owner of the visitor's account is tried before anything else, with an attempt of their own."""
    account = directory.accounts.of_visitor(request.visitor)
    if account is None:
        return ()
    return (Stage(name="account_owner", leg=0, attempts_max=1, agent_id=account.owner_id),)


def _route(
    request: Request, directory: WorkspaceDirectory, settings: WorkspaceSettings, leg: int
) -> tuple[Stage, ...]:
    """The stages of the route that was asked for."""
    attempts = settings.offer_attempts
    match request.route:
        case RoundRobinRoute():
            return (_everybody(leg, attempts.round_robin),)
        case AgentRoute(agent_id=agent_id):
            return (Stage(name="agent", leg=leg, attempts_max=attempts.agent, agent_id=agent_id),)
        case TeamRoute(team_id=team_id):
            team = Stage(name="team", leg=leg, attempts_max=attempts.team, pool=team_pool(team_id))
            return (team, _everybody(leg, attempts.team))
        case CustomRulesRoute():
            rules = [
                Stage(
                    name="custom_rule",
                    leg=leg,
                    attempts_max=attempts.custom_rules,
                    pool=rule_pool(rule.id),
                )
                for rule in _rules_met(request, directory)
            ]
            return (*rules, _everybody(leg, attempts.custom_rules)) if rules else ()


def _everybody(leg: int, attempts_max: int) -> Stage:
    return Stage(name="round_robin", leg=leg, attempts_max=attempts_max, pool=ALL_AGENTS)


def _rules_met(request: Request, directory: WorkspaceDirectory) -> Iterable[RuleEntry]:
    rules = (defined.entry for defined in directory.rules.values())
    facts = Facts(request)
    met = [rule for rule in rules if rule.enabled and facts.meet(rule.conditions)]
    return sorted(met, key=lambda rule: (rule.priority, rule.id))


def _queue(settings: WorkspaceSettings) -> QueuePlan | None:
    queue = settings.queue
    return QueuePlan(max_wait_s=queue.max_wait_s, size_max=queue.size_max) if queue.enabled else None


def _idle(timeout_s: int) -> IdlePlan:
    timeout_ms = timeout_s * 1000
    notice_ms = min(IDLE_NOTICE_S_MAX * 1000, timeout_ms // IDLE_NOTICE_SHARE)
    return IdlePlan(timeout_ms=timeout_ms, notice_ms=notice_ms)
