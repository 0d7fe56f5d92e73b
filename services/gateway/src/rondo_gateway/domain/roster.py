"""The roster: everybody who answers chats, as their colleagues may see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from datetime import datetime

from rondo_common.conversation import Value
from rondo_common.directory.entries import AgentEntry, WorkspaceSettings
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import AgentId, TeamId
from rondo_common.permissions import Permission

ROSTER_READERS = (
    Permission.LIVE_CHAT_VIEW_MY,
    Permission.LIVE_CHAT_VIEW_ALL,
    Permission.ANALYTICS_VIEW,
    Permission.ADMIN_AGENTS,
)
"""Who hands chats over, and who watches how it goes. One of them is enough."""


class Colleague(Value):
    """An agent who answers chats. `load` counts what they have and what they are offered just now."""

    id: AgentId
    name: str
    avatar_url: str | None
    available: bool
    present: bool
    load: int
    capacity: int
    teams: tuple[TeamId, ...]


class Roster(Value):
    """Everybody who answers chats, by id."""

    data: list[Colleague]


def chatting_agents(found: WorkspaceDirectory) -> list[AgentEntry]:
    """Everybody who may answer chats, by id."""
    entries = (each.entry for each in found.agents.values())
    return sorted((each for each in entries if found.may_chat(each)), key=lambda each: each.id)


def roster_of(
    found: WorkspaceDirectory,
    settings: WorkspaceSettings,
    present: Set[AgentId],
    loads: Mapping[AgentId, int],
    now: datetime,
) -> Roster:
    """The roster at ``now``, of those who are ``present`` and have these ``loads``."""
    teams: defaultdict[AgentId, list[TeamId]] = defaultdict(list)
    for team_id in sorted(found.teams):
        for agent_id in found.teams[team_id].entry.agent_ids:
            teams[agent_id].append(team_id)
    return Roster(
        data=[
            Colleague(
                id=each.id,
                name=each.name,
                avatar_url=each.avatar_url,
                available=found.availability_of(each, now).available,
                present=each.id in present,
                load=loads.get(each.id, 0),
                capacity=settings.agent_capacity if each.capacity is None else each.capacity,
                teams=tuple(teams[each.id]),
            )
            for each in chatting_agents(found)
        ]
    )
