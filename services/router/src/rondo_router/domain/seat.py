"""Seats: each agent as the switchboard needs them, from the directory and the time of day."""

from __future__ import annotations

from datetime import datetime

from rondo_common.availability import Availability
from rondo_common.conversation import AgentCard, Value
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import AgentId
from rondo_router.domain.route_plan import settings_of


class AgentSeat(Value):
    """An agent as the switchboard needs them, true until ``availability.next_change_at``."""

    card: AgentCard
    place: int
    """In the sequence of all agents."""
    capacity: int
    may_chat: bool
    """Whether they hold the live chat permission, and it is switched on for them."""
    needs_presence: bool
    """Whether they are offered chats only while they are present."""
    availability: Availability


def seat_of(directory: WorkspaceDirectory, agent_id: AgentId | None, now: datetime) -> AgentSeat | None:
    """The agent's seat as of ``now``; None when there is no such agent, or no workspace any more."""
    defined = None if agent_id is None else directory.agents.get(agent_id)
    if defined is None or directory.workspace is None:
        return None
    agent, settings = defined.entry, settings_of(directory)
    return AgentSeat(
        card=agent.card(),
        place=agent.place,
        capacity=settings.agent_capacity if agent.capacity is None else agent.capacity,
        may_chat=directory.may_chat(agent),
        needs_presence=settings.presence_required,
        availability=directory.availability_of(agent, now),
    )
