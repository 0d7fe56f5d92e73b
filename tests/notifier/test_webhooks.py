"""What is sent to whom, and what follows from an attempt."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rondo_common.availability import ALWAYS
from rondo_common.directory.entries import WebhookEntry, WebhookSecret
from rondo_common.directory.view import Directory
from rondo_common.envelope import Envelope
from rondo_common.events import (
    EVENT_TYPES,
    AcceptChat,
    AgentAvailabilityChanged,
    AgentConnected,
    ConversationErased,
    Event,
    WebhookDisabled,
)
from rondo_common.ids import AgentId, ConversationId, EventId, WorkspaceId
from rondo_common.mailbox import stream_type
from rondo_common.webhooks import (
    KNOWN_TYPES,
    SHOWN_BYTES_MAX,
    Attempt,
    DeliveryState,
    Reread,
    WebhookAnswer,
    share_of,
)
from rondo_notifier.domain.webhooks import (
    CLOCK_SKEW_S_MAX,
    GIVEN_UP_AFTER_S,
    RETRY_DELAYS_S,
    EndpointKey,
    Settlement,
    after,
    asked_delay_s,
    next_delay_s,
    plans_of,
    reason_to_give_up,
    valid_secrets,
)
from rondo_notifier.handlers.webhooks import (
    REPLAY_WAITING_MAX,
    WAITING_MAX,
    Endpoints,
    Rereading,
    WebhookDelivery,
    WebhookPlanning,
)
from rondo_notifier.ports import Claimed, ClaimRequest, Holding
from tests.notifier.fake_webhook_schedule import FakeWebhookSchedule
from tests.notifier.webhook_world import (
    ACTIVATION,
    NOON,
    OLDER_SECRET,
    SECRET,
    a_plan,
    attempt,
    directory_of,
    entry,
    message,
)

ACME = WorkspaceId("acme")
CRM = EndpointKey(ACME, entry().id)


# --- what is sent --------------------------------------------------------------------------------


def types_sent(event: Event, *endpoints: WebhookEntry) -> list[str]:
    envelope: Envelope[Event] = Envelope(EventId("e-1"), "/tests", NOON, ACME, event)
    return [each.record.event_type for each in plans_of(envelope, endpoints, NOON)]


def test_an_endpoint_gets_the_types_it_asked_for() -> None:
    said = message(ACME, "cnv_1", "Hej")
    endpoints = [
        entry("all"),
        entry("messages", event_types=("conversation.ended", "message.posted")),
        entry("endings", event_types=("conversation.ended",)),
        entry("off", enabled=False),
    ]
    plans = plans_of(said, endpoints, NOON)
    assert [each.endpoint.webhook_id for each in plans] == ["all", "messages"]
    assert {each.id for each in plans} == {said.id}, "the webhook-id is the event's id"
    assert {each.lane for each in plans} == {"cnv_1"}


def test_the_body_is_the_event_as_the_streams_tell_it_and_the_workspace() -> None:
    said = message(ACME, "cnv_1", "Hej 👋", event_id="e-1")
    (plan,) = plans_of(said, [entry()], NOON)
    body = json.loads(plan.body)
    assert set(body) == {"id", "type", "conversation_id", "occurred_at", "data", "workspace_id"}
    assert (body["id"], body["type"], body["workspace_id"]) == ("e-1", "message.posted", "acme")
    assert (body["data"]["text"], body["data"]["client_message_id"]) == ("Hej 👋", "c")


def test_what_is_about_an_agent_says_which_and_keeps_that_agents_order() -> None:
    changed = AgentAvailabilityChanged(agent_id=AgentId("grace"), availability=ALWAYS)
    envelope: Envelope[Event] = Envelope(EventId("e-1"), "/tests", NOON, ACME, changed)
    (plan,) = plans_of(envelope, [entry()], NOON)
    assert plan.lane == "agent:grace"
    assert json.loads(plan.body)["data"] == {"agent_id": "grace", **ALWAYS.model_dump(mode="json")}
    assert types_sent(AgentConnected(agent_id=AgentId("grace")), entry()) == ["agent.connected"]


def test_commands_are_sent_to_nobody() -> None:
    command = AcceptChat(conversation_id=ConversationId("cnv_1"), agent_id=AgentId("grace"))
    assert types_sent(command, entry()) == []


def test_what_happened_before_an_endpoint_was_switched_on_is_not_sent_unless_replayed() -> None:
    endpoint = entry(active_since=NOON)
    early = NOON - timedelta(seconds=CLOCK_SKEW_S_MAX + 1)
    before, skewed = (
        message(ACME, "c", "1", at=early),
        message(ACME, "c", "2", at=NOON - timedelta(seconds=1)),
    )
    assert plans_of(before, [endpoint], NOON) == []
    assert len(plans_of(skewed, [endpoint], NOON)) == 1
    assert len(plans_of(before, [endpoint], NOON, is_replay=True)) == 1


@settings(deadline=None)
@given(st.text(max_size=5_000))
def test_what_the_log_shows_of_a_body_is_cut_at_whole_characters(text: str) -> None:
    (plan,) = plans_of(message(ACME, "c", text), [entry()], NOON)
    assert plan.body.startswith(plan.record.body)
    assert len(plan.record.body.encode()) <= SHOWN_BYTES_MAX
    assert len(plan.record.body.encode()) > SHOWN_BYTES_MAX - 4 or plan.record.body == plan.body


# --- what follows --------------------------------------------------------------------------------


def test_failures_are_tried_again_at_these_times_and_then_never() -> None:
    assert RETRY_DELAYS_S == (5, 30, 120, 900, 3_600, 21_600, 86_400)
    record, now = a_plan(CRM, "c", "e-1").record, NOON
    for number, delay_s in enumerate(RETRY_DELAYS_S, start=1):
        settled = after(record, attempt("answered 500", now), now)
        assert settled.due_at == settled.record.next_attempt_at == now + timedelta(seconds=delay_s)
        assert (settled.record.state, len(settled.record.attempts)) == (DeliveryState.RETRYING, number)
        record, now = settled.record, now + timedelta(seconds=delay_s)
    settled = after(record, attempt("answered 500", now), now)
    assert (settled.due_at, settled.record.state) == (None, DeliveryState.FAILED)
    assert len(settled.record.attempts) == 8


@settings(deadline=None)
@given(st.integers(0, 7))
def test_a_success_ends_it_however_often_it_failed(failures: int) -> None:
    record = a_plan(CRM, "c", "e-1").record
    for _ in range(failures):
        record = after(record, attempt("answered 500"), NOON).record
    settled = after(record, attempt(), NOON)
    assert (settled.due_at, settled.is_success) == (None, True)
    assert (settled.record.state, settled.record.next_attempt_at) == (DeliveryState.DELIVERED, None)


@settings(deadline=None)
@given(st.integers(1, 20))
def test_delays_only_grow(failures: int) -> None:
    first, second = (next_delay_s("message.posted", each) for each in (failures, failures + 1))
    assert second is None or (first is not None and first < second)


def test_a_test_is_tried_once() -> None:
    assert next_delay_s("webhook.test", 1) is None


def test_a_secret_that_was_rotated_signs_until_its_day_is_over() -> None:
    until = NOON + timedelta(days=1)
    endpoint = entry(
        secrets=(WebhookSecret(secret=SECRET), WebhookSecret(secret=OLDER_SECRET, valid_until=until))
    )
    assert valid_secrets(endpoint, until - timedelta(seconds=1)) == [SECRET, OLDER_SECRET]
    assert valid_secrets(endpoint, until) == [SECRET]


def ending(error: str | None = None, status: int = 500) -> Settlement:
    made = attempt(error).model_copy(update={} if error is None else {"status": status})
    return after(a_plan(CRM, "c", "e-1").record, made, NOON)


def test_an_endpoint_is_given_up_after_five_days_of_failure_alone() -> None:
    assert GIVEN_UP_AFTER_S == 5 * 86_400
    since, failed = NOON - timedelta(seconds=GIVEN_UP_AFTER_S), [ending("answered 500")]
    assert reason_to_give_up(failed, since, NOON) == "answered 500"
    assert reason_to_give_up(failed, since + timedelta(seconds=1), NOON) is None
    assert reason_to_give_up([ending()], None, NOON) is None


def test_an_endpoint_that_is_gone_is_given_up_at_once() -> None:
    gone = [ending(), ending("answered 410", 410), ending("answered 500")]
    assert reason_to_give_up(gone, NOON, NOON) == "answered 410"
    assert reason_to_give_up(gone[2:], NOON, NOON) is None


# --- Retry-After ---------------------------------------------------------------------------------


def told(status: int, retry_after: str) -> Attempt:
    answer = WebhookAnswer(status=status, headers={"retry-after": retry_after}, body="")
    return attempt(f"answered {status}").model_copy(update={"status": status, "answer": answer})


@pytest.mark.parametrize(
    ("status", "said", "asked_s"),
    [
        (429, "20", 20),
        (503, " 20 ", 20),
        (503, "Thu, 01 Jan 2026 12:01:00 GMT", 60),
        (503, "Thu, 01 Jan 2026 12:01:00 -0000", 60),
        (503, "Thu, 01 Jan 2026 11:59:00 GMT", 0),
        (500, "20", 0),
        (429, "", 0),
        (429, "-20", 0),
        (429, "soon", 0),
        (429, "2.5", 0),
        (429, "²", 0),
        (429, "Thu, 99 Jan 2026 12:01:00 GMT", 0),
        (429, "Thu, 01 Jan 999999 12:01:00 GMT", 0),
        (429, "Thu, 01 Jan 99999999999999999999 12:01:00 GMT", 0),
        (429, "Thu, 01 Jan 2026 12:01:00 +99999999999999999999", 0),
        (429, "Mon, 01 Jan 0001 00:00:00 +2359", 0),
        (429, "9" * 4000, 999_999_999),
    ],
)
def test_a_receiver_that_is_busy_says_for_how_long(status: int, said: str, asked_s: int) -> None:
    assert asked_delay_s(told(status, said), NOON) == asked_s


DATES = st.from_regex(
    r"(Thu, )?\d{1,22} (Jan|Feb|Foo) \d{1,22} \d{1,12}:\d{1,3}(:\d{1,3})? ([+-]\d{1,22}|GMT|X)",
    fullmatch=True,
)


@settings(deadline=None)
@given(st.text(max_size=40) | DATES, st.sampled_from([429, 503]))
def test_whatever_a_receiver_says_is_a_time_or_nothing(said: str, status: int) -> None:
    assert asked_delay_s(told(status, said), NOON) >= 0


@settings(deadline=None)
@given(st.integers(1, 7), st.integers(0, 10**9))
def test_what_a_receiver_asks_for_delays_by_one_step_at_most(failures: int, asked_s: int) -> None:
    step_s = RETRY_DELAYS_S[failures - 1]
    longest_s = RETRY_DELAYS_S[min(failures, len(RETRY_DELAYS_S) - 1)]
    delay_s = next_delay_s("message.posted", failures, asked_s)
    assert delay_s is not None
    assert step_s <= delay_s <= longest_s <= 86_400
    assert delay_s in {step_s, asked_s, longest_s}


def test_the_next_attempt_is_not_before_the_time_that_was_asked_for() -> None:
    record = a_plan(CRM, "c", "e-1").record
    assert after(record, told(503, "20"), NOON).due_at == NOON + timedelta(seconds=20)
    assert after(record, told(503, "2"), NOON).due_at == NOON + timedelta(seconds=5)
    assert after(record, told(503, "3600"), NOON).due_at == NOON + timedelta(seconds=30)


# --- use cases over fakes ------------------------------------------------------------------------


class FakeAlerts:
    """A :class:`rondo_notifier.ports.Alerts` that remembers, and can break off once."""

    def __init__(self) -> None:
        self.published: list[Envelope[WebhookDisabled]] = []

    async def publish(self, envelope: Envelope[WebhookDisabled]) -> None:
        self.published.append(envelope)


class FakeSender:
    """A :class:`rondo_notifier.ports.WebhookSender` whose receiver answers as the test says."""

    def __init__(self, error: str | None = None) -> None:
        self.error = error
        self.status = 500

    async def send(
        self,
        entry: WebhookEntry,  # noqa: ARG002 - the port's
        secrets: Sequence[str],
        body: str,  # noqa: ARG002 - the port's
        event_id: EventId,  # noqa: ARG002 - the port's
    ) -> Attempt:
        assert secrets
        return ending(self.error, self.status).attempt


class FakePast:
    """A :class:`rondo_notifier.ports.PastEvents` with one partition's events."""

    def __init__(self, envelopes: Sequence[Envelope[Any]]) -> None:
        self.envelopes = list(envelopes)
        self.asked: list[Mapping[str, Collection[int]]] = []

    async def read(
        self, partitions: Mapping[str, Collection[int]], reread: Reread
    ) -> AsyncIterator[tuple[list[Envelope[Event]], dict[str, int]]]:
        self.asked.append(partitions)
        for offset in range(reread.positions.get("t/0", 0), len(self.envelopes)):
            yield [self.envelopes[offset]], {"t/0": offset + 1}


class World:
    """The use cases over fakes, with one endpoint."""

    def __init__(self, envelopes: Sequence[Envelope[Any]] = ()) -> None:
        self.now: datetime = NOON
        self.directory: Directory = directory_of((ACME, entry()))
        self.schedule = FakeWebhookSchedule()
        self.alerts, self.sender, self.past = FakeAlerts(), FakeSender(), FakePast(envelopes)
        endpoints = Endpoints(self.directory)
        self.planning = WebhookPlanning(endpoints, self.schedule, lambda: self.now)
        self.delivery = WebhookDelivery(self.schedule, self.sender, self.alerts, lambda: self.now)
        self.pauses = 0
        self.rereading = Rereading(
            endpoints, self.planning, self.schedule, self.past, lambda: self.now, self._pause
        )

    async def holding(self) -> Holding:
        reread = Reread(since=self.now, until=self.now)
        return (await self.schedule.take_over(share_of(*CRM), self.now, reread))[0]

    async def claim(self, holding: Holding) -> Sequence[Claimed]:
        """All that is due."""
        claims, _ = await self.delivery.settle_and_claim(ClaimRequest(holding, CRM, ACTIVATION, 1000))
        return claims.claimed

    async def deliver(self, holding: Holding) -> int:
        """Attempt what is due once; how many that were."""
        claimed = await self.claim(holding)
        ended = [await self.delivery.attempt(each, entry()) for each in claimed]
        request = ClaimRequest(holding, CRM, ACTIVATION, 0, ended=ended)
        _, hopeless = await self.delivery.settle_and_claim(request)
        if hopeless is not None:
            await self.delivery.give_up(holding, hopeless)
        return len(ended)

    async def _pause(self) -> None:
        self.pauses += 1
        await self.deliver(await self.holding())


async def test_five_days_of_failure_are_told_once_and_end_the_deliveries() -> None:
    world = World()
    holding, world.sender.error = await world.holding(), "answered 500"
    for day in range(7):
        await world.planning.plan([message(ACME, f"cnv_{day}", "Hej")])
        await world.deliver(holding)
        world.now += timedelta(days=1)
    (told,) = world.alerts.published
    assert told.event.failing_since == NOON
    assert (told.event.webhook_id, told.event.error) == ("crm", "answered 500")
    assert await world.deliver(holding) == 0


async def test_a_success_in_between_begins_the_five_days_anew() -> None:
    world = World()
    holding = await world.holding()
    for day in range(12):
        world.sender.error = None if day % 4 == 3 else "answered 500"
        await world.planning.plan([message(ACME, f"cnv_{day}", "Hej")])
        await world.deliver(holding)
        world.now += timedelta(days=1)
    assert world.alerts.published == []


async def test_what_was_sent_before_an_endpoint_was_defined_anew_does_not_count_against_it() -> None:
    world = World()
    holding, world.sender.error, world.sender.status = await world.holding(), "answered 410", 410
    await world.planning.plan([message(ACME, "cnv_1", "Hej")])
    (claimed,) = await world.claim(holding)
    ended = await world.delivery.attempt(claimed, entry(activation=EventId("earlier")))
    _, hopeless = await world.delivery.settle_and_claim(
        ClaimRequest(holding, CRM, ACTIVATION, 0, ended=[ended])
    )
    assert hopeless is None


async def test_an_endpoint_that_is_gone_is_told_of_once_and_gets_nothing_more() -> None:
    world = World()
    holding, world.sender.error, world.sender.status = await world.holding(), "answered 410", 410
    await world.planning.plan([message(ACME, f"cnv_{number}", "Hej") for number in range(3)])
    assert await world.deliver(holding) == 3
    world.now += timedelta(hours=1)
    await world.planning.plan([message(ACME, "cnv_9", "Hej")])
    assert await world.deliver(holding) == 0
    (told,) = world.alerts.published
    assert (told.event.error, told.event.failing_since) == ("answered 410", NOON)


async def test_what_an_endpoint_cannot_take_any_more_has_failed_and_the_log_says_what_to_do() -> None:
    world = World()
    await world.planning.plan([message(ACME, f"cnv_{number}", "Hej") for number in range(WAITING_MAX + 2)])
    assert await world.schedule.waiting(CRM) == WAITING_MAX
    records = world.schedule.endpoints[CRM].records.values()
    failed = [each for each in records if each.state is DeliveryState.FAILED]
    assert len(failed) == 2
    assert "replay" in str(failed[0].attempts[0].error)


async def test_a_replay_leaves_room_for_what_happens_now() -> None:
    count = REPLAY_WAITING_MAX * 2
    world = World([message(ACME, f"cnv_{number}", "Hej") for number in range(count)])
    holding = await world.holding()
    world.schedule.ask(CRM, replay=Reread(since=NOON, until=NOON))
    await world.rereading.replay(CRM)
    assert world.pauses > 0
    assert await world.schedule.waiting(CRM) <= REPLAY_WAITING_MAX
    while await world.schedule.waiting(CRM):
        assert await world.deliver(await world.holding())
    assert holding.share == share_of(*CRM)
    assert (await world.schedule.asked(CRM)).replay is None


async def test_a_replay_goes_on_where_it_was_broken_off() -> None:
    world = World([message(ACME, "cnv_1", f"{number}", event_id=f"e-{number}") for number in range(4)])
    stood = Reread(since=NOON, until=NOON, positions={"t/0": 2})
    world.schedule.ask(CRM, replay=stood)
    await world.rereading.replay(CRM)
    assert list(world.schedule.endpoints[CRM].waiting) == ["e-2", "e-3"]


async def test_a_replay_is_of_its_own_workspace_alone() -> None:
    world = World([message(WorkspaceId("globex"), "cnv_1", "Hej")])
    world.schedule.ask(CRM, replay=Reread(since=NOON, until=NOON))
    await world.rereading.replay(CRM)
    assert await world.schedule.waiting(CRM) == 0


async def test_a_rebuild_reads_its_own_partition_and_doubles_nothing() -> None:
    events = [message(ACME, "cnv_1", f"{number}") for number in range(3)]
    world = World(events)
    share = share_of(*CRM)
    await world.holding()
    await world.planning.plan(events[:1])
    await world.rereading.rebuild(share, Reread(since=NOON, until=NOON))
    assert [each.id for each in world.schedule.endpoints[CRM].records.values()] == [
        each.id for each in events
    ]
    assert [list(each.values()) for each in world.past.asked] == [[[share], [share]]]
    assert share not in world.schedule.rereads


async def test_an_erasure_is_sent_and_what_was_before_it_is_not_any_more() -> None:
    world = World()
    erased = ConversationErased(conversation_id=ConversationId("cnv_1"), agent_ids=())
    envelope: Envelope[Event] = Envelope(EventId("e-9"), "/tests", NOON, ACME, erased)
    await world.planning.plan([message(ACME, "cnv_1", "Hej"), envelope, message(ACME, "cnv_2", "Hej")])
    records = world.schedule.endpoints[CRM].records.values()
    assert [each.event_type for each in records] == ["conversation.erased", "message.posted"]


async def test_tests_that_were_asked_for_are_scheduled_once() -> None:
    world = World()
    world.schedule.ask(CRM, test=EventId("t-1"))
    await world.planning.test(CRM)
    await world.planning.test(CRM)
    assert list(world.schedule.endpoints[CRM].waiting) == ["t-1"]


@pytest.mark.parametrize("share", range(12))
def test_an_endpoint_belongs_to_one_share(share: int) -> None:
    world = World()
    mine = Endpoints(world.directory).of_share(share)
    assert mine == ([CRM] if share == share_of(*CRM) else [])


GOLDEN = Path(__file__).parents[1] / "schemas"


@pytest.mark.parametrize("name", KNOWN_TYPES)
def test_every_type_that_can_be_asked_for_is_sent(name: str) -> None:
    (event_type,) = [each for each in EVENT_TYPES if stream_type(each) == name]
    event = EVENT_TYPES[event_type].model_validate_json((GOLDEN / f"{event_type}.json").read_text("utf-8"))
    assert types_sent(event, entry(event_types=(name,))) == [name]
