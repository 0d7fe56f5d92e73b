"""An agent's alerts: what became of each, and saying that one was seen."""

from __future__ import annotations

from collections.abc import Callable

from rondo_common.alerts import AlertRecord, AlertState
from rondo_common.clock import Clock
from rondo_common.conversation import Value
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.envelope import Envelope
from rondo_common.events import AcknowledgeAlert
from rondo_common.ids import AgentId, AlertId, EventId
from rondo_gateway.domain.permissions import (
    named_agent,
    permissions_of,
    require_staff,
    require_tellable,
)
from rondo_gateway.domain.principals import AgentCaller, Backend, Principal
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.handlers.own_workspace import seen_workspace
from rondo_gateway.handlers.source import SOURCE
from rondo_gateway.ports import AlertBook, DirectoryView, EventLog

ACKNOWLEDGEMENT_WAIT_S = 5.0
OVER = frozenset({AlertState.ACKNOWLEDGED, AlertState.WITHDRAWN})
"""There is nothing to acknowledge any more."""


class AlertList(Value):
    """An agent's alerts, the newest first. The last 200 are kept, for a day: there is no further page."""

    data: list[AlertRecord]
    next_cursor: None = None


class AlertQueries:
    """Tells of alerts, to the agent, the backend and who administers agents."""

    def __init__(
        self,
        directory: DirectoryView,
        book: AlertBook,
        log: EventLog,
        clock: Clock,
        new_event_id: Callable[[], EventId],
    ) -> None:
        self._directory = directory
        self._book = book
        self._log = log
        self._clock = clock
        self._new_event_id = new_event_id

    async def list(
        self, caller: Principal, agent_id: AgentId, state: AlertState | None, limit: int
    ) -> AlertList:
        """The agent's alerts, in a state or in any."""
        member = require_staff(caller)
        agent_id = named_agent(member, agent_id)
        await permitted_agent(self._directory, member, agent_id)
        found = await self._book.of_agent(member.workspace_id, agent_id)
        return AlertList(data=[each for each in found if state in {None, each.state}][:limit])

    async def acknowledge(
        self, caller: Principal, agent_id: AgentId, alert_id: AlertId
    ) -> tuple[AlertRecord, bool]:
        """Say that an alert was seen: the alert, and whether the notifier has it down already.

        One that is over stays as it is.
        """
        member = require_staff(caller)
        agent_id = named_agent(member, agent_id)
        await permitted_agent(self._directory, member, agent_id)
        async with self._book.watched(member.workspace_id, alert_id) as change:
            alert = await self._book.find(member.workspace_id, alert_id)
            if alert is None or alert.agent_id != agent_id:
                raise NotFound("alert", alert_id)
            if alert.state in OVER:
                return alert, True
            command = AcknowledgeAlert(
                conversation_id=alert.conversation_id,
                alert_id=alert_id,
                agent_id=agent_id,
                by=member.party(),
            )
            envelope = Envelope(self._new_event_id(), SOURCE, self._clock(), member.workspace_id, command)
            await self._log.publish(envelope)
            while alert.state not in OVER:
                after = await change(alert, ACKNOWLEDGEMENT_WAIT_S)
                if after.state is alert.state:
                    return alert, False
                alert = after
        return alert, True


async def permitted_agent(
    directory: DirectoryView, member: Backend | AgentCaller, agent_id: AgentId
) -> WorkspaceDirectory:
    """The workspace of an agent whom the caller may see to.

    Raises:
        NotFound: there is no such agent.
        NotPermitted: it is another, and the caller does not administer agents.
    """
    found = await seen_workspace(directory, member.workspace_id)
    require_tellable(member, agent_id, permissions_of(member, found))
    if agent_id not in found.agents:
        raise NotFound("agent", agent_id)
    return found
