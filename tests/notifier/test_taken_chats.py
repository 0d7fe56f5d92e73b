"""Who takes a chat from the queue asked for it: nobody is alerted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from rondo_common.conversation import TAKEN, Why
from rondo_common.directory.view import Directory
from rondo_common.envelope import Envelope
from rondo_common.events import AlertEvent, AssignmentAccepted, CoverageAlarm, Event
from rondo_common.ids import AgentId, EventId, WorkspaceId
from rondo_notifier.handlers.alerts import AlertDesk, Reach
from tests.notifier.alert_offers import ACME, CNV, GRACE, offer
from tests.notifier.fake_alert_store import FakeAlertStore

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class FakeAlertLog:
    """An :class:`rondo_notifier.ports.AlertLog` that remembers."""

    def __init__(self) -> None:
        self.told: list[Envelope[AlertEvent | CoverageAlarm]] = []

    async def publish_alerts(self, envelopes: Sequence[Envelope[AlertEvent | CoverageAlarm]]) -> None:
        self.told += envelopes


class NobodyPresent:
    """A :class:`rondo_notifier.ports.Presences`."""

    async def present(
        self,
        agents: Sequence[tuple[WorkspaceId, AgentId]],
        now: datetime,  # noqa: ARG002 - the port's
    ) -> list[bool]:
        return [False] * len(agents)


async def alerts_after(stage: str) -> FakeAlertStore:
    """What is kept once Grace was offered a chat at that stage, and has accepted it."""
    store, log = FakeAlertStore(), FakeAlertLog()
    desk = AlertDesk(store, log, NobodyPresent(), Reach(Directory(), {}, "https://rondo"), lambda: NOW)
    offered = offer(NOW).model_copy(update={"why": Why(stage=stage)})
    accepted = AssignmentAccepted(conversation_id=CNV, agent=GRACE, attempt=1)
    envelopes = [
        cast("Envelope[Event]", Envelope(EventId(f"e-{number}"), "/tests", NOW, ACME, event))
        for number, event in enumerate((offered, accepted))
    ]
    assert await desk.take(envelopes) == []
    assert (log.told == []) == (stage == TAKEN)
    return store


async def test_a_chat_that_its_agent_took_is_no_alert_and_one_that_came_to_them_is() -> None:
    assert len((await alerts_after("round_robin")).kept) == 1
    assert (await alerts_after(TAKEN)).kept == {}
