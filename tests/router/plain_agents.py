"""Who sits at the plain switchboard, in which pools, and who is present."""

from __future__ import annotations

from collections.abc import Mapping

from rondo_common.availability import Availability
from rondo_common.clock import milliseconds
from rondo_common.conversation import EndReason, Party, RescindReason
from rondo_common.ids import AgentId
from rondo_router.domain import decision as decided
from rondo_router.domain.instruction import SeatAgent
from tests.router.plain_offers import Offering
from tests.router.plain_workspace import Workspace

RONDO = Party(type="system", id="rondo")


def seat(making: Offering, action: SeatAgent) -> None:
    workspace, agent = making.workspace, action.agent_id
    before = workspace.seats.get(agent)
    workspace.take_place(agent, action.seat)
    workspace.let_turns_pass()
    _set_availability_timer(workspace, agent, action.seat.availability)
    if before is not None and before.availability != action.seat.availability:
        making.steps.append(
            decided.AvailabilityChanged(agent_id=agent, availability=action.seat.availability)
        )
    making.freed.append(agent)


def _set_availability_timer(
    workspace: Workspace, agent: AgentId, availability: Availability | None
) -> None:
    """One timer an agent, for as long as something will change by itself."""
    for name in [each for each in workspace.timers if each.startswith(f"availability/{agent}/")]:
        del workspace.timers[name]
    if availability is not None and availability.next_change_at is not None:
        due = milliseconds(availability.next_change_at)
        workspace.timers[f"availability/{agent}/{due}"] = due


def unseat(making: Offering, agent: AgentId) -> None:
    """Gone for good: what they were offered goes to the next, what they had is over."""
    workspace = making.workspace
    workspace.seats.pop(agent, None)
    workspace.present.discard(agent)
    _set_availability_timer(workspace, agent, None)
    for circle in workspace.circles.values():
        circle.leave(agent)
    for chat in workspace.chats_of(agent):
        if chat.is_offered_to(agent):
            making.take_back(chat, RescindReason.AGENT_REMOVED)
        if chat.is_with(agent):
            making.end(chat, EndReason.AGENT_LOST, RONDO)


def define_pool(making: Offering, pool: str, places: Mapping[AgentId, int]) -> None:
    circle = making.workspace.circle(pool)
    for agent in circle.places.keys() - places.keys():
        circle.leave(agent)
    for agent, place in places.items():
        circle.join(agent, place)
    making.workspace.let_turns_pass()
    making.freed.extend(sorted(places, key=lambda each: places[each]))
    if places:
        making.workspace.pools.add(pool)
    else:
        making.workspace.pools.discard(pool)
        del making.workspace.circles[pool]


def mark_present(making: Offering, agent: AgentId) -> None:
    workspace = making.workspace
    if agent in workspace.present or agent not in workspace.seats:
        return
    workspace.present.add(agent)
    workspace.let_turns_pass()
    _set_presence_timer(workspace, agent, max(workspace.leases.get(agent, 0), making.now))
    making.steps.append(decided.Connected(agent_id=agent))
    making.freed.append(agent)


def _set_presence_timer(workspace: Workspace, agent: AgentId, until: int) -> None:
    workspace.timers[f"presence/{agent}/{until}"] = until


def check_presence(making: Offering, agent: AgentId) -> None:
    workspace = making.workspace
    if agent not in workspace.present:
        return
    until = workspace.leases.get(agent, 0)
    if until > making.now:
        _set_presence_timer(workspace, agent, until)
        return
    workspace.present.discard(agent)
    workspace.let_turns_pass()
    making.steps.append(decided.Disconnected(agent_id=agent))
    uncovered = []
    for chat in workspace.chats_of(agent):
        if not chat.is_offered_to(agent):
            uncovered.append(chat.conversation_id)
        elif workspace.seats[agent].needs_presence:
            making.take_back(chat, RescindReason.AGENT_ABSENT)
    if uncovered:
        making.steps.append(decided.CoverageLost(agent_id=agent, conversation_ids=tuple(uncovered)))
