"""Seating: what the directory asks of the switchboard, as it changes and as a partition changes hands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rondo_common.directory.entries import Kind
from rondo_common.directory.view import Directory, DirectoryChange, WorkspaceDirectory
from rondo_common.ids import AgentId, RuleId, TeamId, WorkspaceId, derived_event_id
from rondo_router.domain.instruction import Action, DefinePool, Instruction, SeatAgent, UnseatAgent
from rondo_router.domain.route_plan import rule_pool, team_pool
from rondo_router.domain.seat import seat_of

EMPTY = WorkspaceDirectory()
"""What a workspace that is gone has provisioned."""


def directory_of(directory: Directory, workspace_id: WorkspaceId) -> WorkspaceDirectory:
    """What the workspace has provisioned: nothing, once it is gone."""
    return directory.find(workspace_id) or EMPTY


def follow_changes(
    changes: Sequence[DirectoryChange], directory: Directory, now: datetime
) -> list[Instruction]:
    """What records of the directory, which has them, ask: pools first, then agents, each once.

    The same records ask under the same causes again.
    """
    asked: dict[tuple[WorkspaceId, Action | str], Instruction] = {}
    for change in changes:
        found = directory_of(directory, change.workspace_id)
        for action in _actions_of(change, found, now):
            subject = action.pool if isinstance(action, DefinePool) else action.agent_id
            cause = derived_event_id(f"directory/{change.partition}/{change.offset}", subject)
            asked[change.workspace_id, subject] = Instruction(change.workspace_id, cause, action)
    return sorted(asked.values(), key=lambda each: not isinstance(each.action, DefinePool))


def take_over(
    workspace_id: WorkspaceId,
    found: WorkspaceDirectory,
    seated: Iterable[AgentId],
    pools: Iterable[str],
    occasion: str,
    now: datetime,
) -> list[Instruction]:
    """Everything that the workspace has provisioned, and the end of what it has no more.

    ``seated`` and ``pools`` are who and what the switchboard has; ``occasion`` makes the causes unique.
    """
    defined = {team_pool(each) for each in found.teams} | {rule_pool(each) for each in found.rules}
    actions: list[DefinePool | SeatAgent | UnseatAgent] = [
        *(DefinePool(each, {}) for each in sorted(set(pools) - defined)),
        *(_team(found, each) for each in found.teams),
        *(_rule(found, each) for each in found.rules),
        *(UnseatAgent(each) for each in sorted(set(seated) - found.agents.keys())),
        *(_agent(found, each, now) for each in found.agents),
    ]
    return [
        Instruction(
            workspace_id,
            derived_event_id(
                f"{workspace_id}/{occasion}",
                action.pool if isinstance(action, DefinePool) else action.agent_id,
            ),
            action,
        )
        for action in actions
    ]


def _actions_of(
    change: DirectoryChange, found: WorkspaceDirectory, now: datetime
) -> Iterable[DefinePool | SeatAgent | UnseatAgent]:
    match change.kind:
        case Kind.AGENT | Kind.TOGGLE:
            return (_agent(found, AgentId(change.entry_id), now),)
        case Kind.TEAM:
            return (_team(found, TeamId(change.entry_id)),)
        case Kind.RULE:
            return (_rule(found, RuleId(change.entry_id)),)
        case Kind.WORKSPACE:  # Its settings are part of every seat.
            return (_agent(found, each, now) for each in found.agents)
        case Kind.PROFILE:
            return (
                _agent(found, each, now)
                for each, defined in found.agents.items()
                if defined.entry.profile == change.entry_id
            )
        case _:  # Nothing else is of the switchboard.
            return ()


def _agent(found: WorkspaceDirectory, agent_id: AgentId, now: datetime) -> SeatAgent | UnseatAgent:
    seat = seat_of(found, agent_id, now)
    return UnseatAgent(agent_id) if seat is None else SeatAgent(agent_id, seat)


def _team(found: WorkspaceDirectory, team_id: TeamId) -> DefinePool:
    defined = found.teams.get(team_id)
    return DefinePool(team_pool(team_id), {} if defined is None else defined.entry.places)


def _rule(found: WorkspaceDirectory, rule_id: RuleId) -> DefinePool:
    defined = found.rules.get(rule_id)
    return DefinePool(rule_pool(rule_id), {} if defined is None else defined.entry.places)
