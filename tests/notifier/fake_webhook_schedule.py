"""The schedule of webhooks in memory, as simple as its promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rondo_common.clock import from_milliseconds, milliseconds
from rondo_common.errors import Fenced
from rondo_common.ids import ConversationId, EventId
from rondo_common.webhooks import LOG_ENTRIES_MAX, LOG_KEPT_S, DeliveryRecord, Reread, share_of
from rondo_notifier.domain.webhooks import EndpointKey, Plan, Settlement
from rondo_notifier.ports import Asked, Claimed, ClaimRequest, Claims, Holding, Placement


@dataclass
class _Waiting:
    lane: str
    body: str
    due_ms: int
    is_flying: bool = False


@dataclass
class _Endpoint:
    epoch: int = 0
    waiting: dict[EventId, _Waiting] = field(default_factory=dict)
    records: dict[EventId, DeliveryRecord] = field(default_factory=dict)
    finished: dict[EventId, datetime] = field(default_factory=dict)
    failing_since: datetime | None = None
    given_up: EventId | None = None
    tests: list[EventId] = field(default_factory=list)
    replay: Reread | None = None

    def heads(self) -> list[EventId]:
        """The oldest delivery of each lane, longest due first, and of those by lane, as Redis sorts."""
        of_lane: dict[str, EventId] = {}
        for each, waiting in self.waiting.items():
            of_lane.setdefault(waiting.lane, each)
        return sorted(
            of_lane.values(), key=lambda each: (self.waiting[each].due_ms, self.waiting[each].lane)
        )

    def free(self) -> list[EventId]:
        """The heads that are not being tried."""
        return [each for each in self.heads() if not self.waiting[each].is_flying]

    def take_back(self, held: Sequence[str]) -> None:
        """What is being tried, but not in these lanes, is due."""
        for waiting in self.waiting.values():
            if waiting.is_flying and waiting.lane not in held:
                waiting.is_flying, waiting.due_ms = False, 0

    def note(self, record: DeliveryRecord) -> None:
        self.records.pop(record.id, None)
        self.records[record.id] = record

    def finish(self, delivery: EventId, now: datetime) -> None:
        self.finished.pop(delivery, None)
        self.finished[delivery] = now
        stale = [each for each, at in self.finished.items() if now - at >= timedelta(seconds=LOG_KEPT_S)]
        over = list(self.finished)[: max(0, len(self.finished) - LOG_ENTRIES_MAX)]
        for each in {*stale, *over}:
            del self.finished[each], self.records[each]


class FakeWebhookSchedule:
    """A :class:`rondo_notifier.ports.WebhookSchedule` without a server."""

    def __init__(self) -> None:
        self.endpoints: dict[EndpointKey, _Endpoint] = {}
        self.epochs: dict[int, int] = {}
        self.rereads: dict[int, Reread] = {}
        self._touched: dict[int, set[EndpointKey]] = {}

    async def schedule(
        self, plans: Sequence[Plan], now: datetime, *, waiting_max: int, is_replay: bool = False
    ) -> list[Placement]:
        for plan in plans:
            self._touched.setdefault(share_of(*plan.endpoint), set()).add(plan.endpoint)
        return [self._schedule(plan, now, waiting_max, is_replay=is_replay) for plan in plans]

    def _schedule(self, plan: Plan, now: datetime, waiting_max: int, *, is_replay: bool) -> Placement:
        endpoint = self._of(plan.endpoint)
        if endpoint.given_up == plan.activation:
            return Placement.GIVEN_UP
        if plan.id in endpoint.waiting or (plan.id in endpoint.records and not is_replay):
            return Placement.KNOWN
        if len(endpoint.waiting) >= waiting_max:
            return Placement.FULL
        endpoint.note(plan.record)
        endpoint.finished.pop(plan.id, None)
        endpoint.waiting[plan.id] = _Waiting(plan.lane, plan.body, milliseconds(now))
        return Placement.SCHEDULED

    async def waiting(self, endpoint: EndpointKey) -> int:
        return len(self._of(endpoint).waiting)

    async def refuse(self, plans: Sequence[Plan], now: datetime) -> None:
        for plan in plans:
            endpoint = self._of(plan.endpoint)
            if plan.id not in endpoint.waiting:
                endpoint.note(plan.record)
                endpoint.finish(plan.id, now)

    async def take_over(self, share: int, now: datetime, reread: Reread) -> tuple[Holding, Reread | None]:
        if share not in self.epochs:
            self.rereads[share] = reread
        self.epochs[share] = max(self.epochs.get(share, 0) + 1, milliseconds(now))
        return Holding(share, self.epochs[share]), self.rereads.get(share)

    async def knows(self, holding: Holding) -> bool:
        return holding.share in self.epochs

    async def reread(self, share: int) -> None:
        self.rereads.pop(share, None)

    async def touched(self, holding: Holding) -> list[EndpointKey]:
        return list(self._touched.pop(holding.share, ()))

    async def settle_and_claim(self, request: ClaimRequest, now: datetime) -> Claims:
        endpoint = self._fenced(request.holding, request.endpoint)
        for ended in request.ended:
            self._settle(endpoint, ended.settlement, now)
        asked = len(endpoint.tests) + (endpoint.replay is not None)
        is_given_up = endpoint.given_up == request.activation
        claimed: list[Claimed] = []
        next_due_ms: int | None = None
        if request.count:
            endpoint.take_back(request.held)
            if not is_given_up:
                claimed = self._claim(endpoint, request, now)
                left = [endpoint.waiting[each].due_ms for each in endpoint.free()]
                next_due_ms = min(left, default=None)
        return Claims(claimed, next_due_ms, asked, endpoint.failing_since, is_given_up)

    def _claim(self, endpoint: _Endpoint, request: ClaimRequest, now: datetime) -> list[Claimed]:
        due = [each for each in endpoint.free() if endpoint.waiting[each].due_ms <= milliseconds(now)]
        claimed: list[Claimed] = []
        for each in due[: request.count]:
            waiting = endpoint.waiting[each]
            waiting.is_flying = True
            claimed.append(Claimed(request.endpoint, waiting.lane, waiting.body, endpoint.records[each]))
        return claimed

    def _settle(self, endpoint: _Endpoint, settlement: Settlement, now: datetime) -> None:
        delivery = settlement.record.id
        waiting = endpoint.waiting.get(delivery)
        if waiting is None or not waiting.is_flying:
            return
        waiting.is_flying = False
        endpoint.records[delivery] = settlement.record
        if settlement.due_at is not None:
            waiting.due_ms = milliseconds(settlement.due_at)
        else:
            self._end(endpoint, delivery, now)
        if settlement.is_success:
            endpoint.failing_since = None
        elif endpoint.failing_since is None:
            endpoint.failing_since = from_milliseconds(milliseconds(now))

    def _end(self, endpoint: _Endpoint, delivery: EventId, now: datetime) -> None:
        lane = endpoint.waiting.pop(delivery).lane
        endpoint.finish(delivery, now)
        following = next((each for each in endpoint.waiting.values() if each.lane == lane), None)
        if following is not None:
            following.due_ms = milliseconds(now)

    async def give_up(self, holding: Holding, endpoint: EndpointKey, activation: EventId) -> None:
        found = self._fenced(holding, endpoint)
        found.given_up, found.failing_since = activation, None

    async def forget(self, endpoints: Sequence[EndpointKey]) -> None:
        for each in endpoints:
            self.endpoints.pop(each, None)

    async def erase(self, endpoints: Sequence[EndpointKey], conversation_id: ConversationId) -> None:
        for endpoint in map(self._of, endpoints):
            for each, record in list(endpoint.records.items()):
                if record.conversation_id == conversation_id:
                    del endpoint.records[each]
                    endpoint.waiting.pop(each, None)
                    endpoint.finished.pop(each, None)

    async def asked(self, endpoint: EndpointKey) -> Asked:
        found = self._of(endpoint)
        return Asked(list(found.tests), found.replay)

    async def test_done(self, endpoint: EndpointKey, test_id: EventId) -> None:
        self._of(endpoint).tests.remove(test_id)

    async def replay_progress(self, endpoint: EndpointKey, reread: Reread | None) -> None:
        self._of(endpoint).replay = reread

    def ask(
        self, endpoint: EndpointKey, *, test: EventId | None = None, replay: Reread | None = None
    ) -> None:
        """What the gateway does."""
        found = self._of(endpoint)
        found.tests += [] if test is None else [test]
        found.replay = replay or found.replay
        self._touched.setdefault(share_of(*endpoint), set()).add(endpoint)

    def _of(self, endpoint: EndpointKey) -> _Endpoint:
        return self.endpoints.setdefault(endpoint, _Endpoint())

    def _fenced(self, holding: Holding, endpoint: EndpointKey) -> _Endpoint:
        found = self._of(endpoint)
        if holding.epoch < found.epoch:
            raise Fenced("somebody newer was here")
        found.epoch = holding.epoch
        return found
