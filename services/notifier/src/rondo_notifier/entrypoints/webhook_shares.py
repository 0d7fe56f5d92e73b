"""The shares of endpoints that this process delivers to: one loop that sends whatever is due.

A share is taken over with the partition of the same number, and let go with it. Who takes it over finds
in the schedule what its last owner left, under way or not, and goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from rondo_common.clock import Clock, milliseconds
from rondo_common.directory.entries import Kind
from rondo_common.directory.view import DirectoryChange
from rondo_common.errors import Fenced, Retryable
from rondo_common.ids import WebhookId
from rondo_common.redis.doorbells import Doorbell, Doorbells
from rondo_common.tasks import end_tasks
from rondo_common.webhooks import Reread, share_of, touched_key
from rondo_notifier.domain.fair_turns import FairTurns, Turn
from rondo_notifier.domain.webhooks import EndpointKey
from rondo_notifier.handlers.webhooks import Endpoints, Rereading, WebhookDelivery, WebhookPlanning
from rondo_notifier.ports import Claimed, ClaimRequest, Claims, Holding, WebhookSchedule

log = structlog.get_logger(__name__)

LOOK_INTERVAL_S = 1.0
"""How often a share is looked at when its bell does not ring, and whether Redis still knows it."""
RETRY_DELAY_S = 0.5
DEFECT_DELAY_S = 5.0
LET_GO_S = 2.0
"""How long a share that is taken away is waited for; what is not settled by then is sent again."""


@dataclass(frozen=True, slots=True)
class UseCases:
    """What is done for endpoints."""

    planning: WebhookPlanning
    delivery: WebhookDelivery
    rereading: Rereading


@dataclass(slots=True)
class _Share:
    """A share that this process has, and what goes on for it beside the deliveries."""

    holding: Holding
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    attempts: set[asyncio.Task[None]] = field(default_factory=set)
    held: defaultdict[EndpointKey, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The lanes in which something is claimed."""
    testing: set[EndpointKey] = field(default_factory=set)
    replaying: set[EndpointKey] = field(default_factory=set)


class WebhookShares:
    """Sends what is due to the endpoints of the shares it was given."""

    def __init__(
        self,
        schedule: WebhookSchedule,
        endpoints: Endpoints,
        use_cases: UseCases,
        bells: Doorbells,
        clock: Clock,
        *,
        rebuild_s: float,
        turns: FairTurns | None = None,
    ) -> None:
        self._schedule = schedule
        self._endpoints = endpoints
        self._use_cases = use_cases
        self._bells = bells
        self._clock = clock
        self._rebuild = timedelta(seconds=rebuild_s)
        self._turns = turns or FairTurns()
        self._owned: set[int] = set()
        self._shares: dict[int, _Share] = {}
        self._leave_by_s = 0.0
        self._wake = asyncio.Event()
        self._attention: set[asyncio.Task[None]] = set()
        self.blocked_by: str | None = None

    # -- shares come and go ---------------------------------------------------------------------

    async def take(self, number: int) -> None:
        """Have a share from now on. Raises ``Unavailable``."""
        self._owned.add(number)
        now = self._clock()
        reread = Reread(since=now - self._rebuild, until=now)
        holding, wanted = await self._schedule.take_over(number, now, reread)
        share = self._shares[number] = _Share(holding)
        log.info("webhook_share_taken", share=number, reread=wanted is not None)
        self._beside(share, self._watch(share))
        if wanted is not None:
            self._beside(share, self._rebuilt(share, wanted))

    async def let_go(self, number: int) -> None:
        """Have a share no longer. Waits a moment for what is under way."""
        self._owned.discard(number)
        await self._leave(number)

    async def changed(self, changes: Sequence[DirectoryChange]) -> None:
        """A listener of the directory: endpoints that are gone are forgotten, others looked at."""
        touched = [
            EndpointKey(each.workspace_id, WebhookId(each.entry_id))
            for each in changes
            if each.kind is Kind.WEBHOOK
        ]
        if touched:
            task = asyncio.create_task(self._reconsider(touched))
            self._attention.add(task)
            task.add_done_callback(self._attention.discard)

    def details(self) -> dict[str, Any]:
        """For operators: which shares this process has, what is under way, what it waits for."""
        return {
            "shares": sorted(self._shares),
            "under_way": self._turns.total_under_way,
            "blocked_by": self.blocked_by,
        }

    # -- the loop -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send what is due until cancelled."""
        try:
            while True:
                await self._until_something_is_due()
                try:
                    await self._begin(self._turns.take(self._now_ms()))
                except Retryable as error:
                    self._block(error)
                    await asyncio.sleep(RETRY_DELAY_S)
                else:
                    self.blocked_by = None
        finally:
            for number in list(self._shares):
                share = self._shares.pop(number)
                await end_tasks([*share.tasks, *share.attempts])
            await end_tasks(self._attention)

    async def _until_something_is_due(self) -> None:
        next_due_ms = self._turns.next_due_ms()
        wait_s = None if next_due_ms is None else max(0.0, (next_due_ms - self._now_ms()) / 1000)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        self._wake.clear()

    async def _begin(self, turns: Sequence[Turn]) -> None:
        """Claim for each turn, and set off what was claimed."""
        asking: list[tuple[Turn, _Share, ClaimRequest]] = []
        for turn in turns:
            share, entry = self._share_of(turn.endpoint), self._endpoints.find(turn.endpoint)
            if share is None or entry is None or not entry.enabled:
                self._turns.began(turn, 0, None)  # Whoever has it, or enables it, will see to it.
                continue
            held = tuple(share.held.get(turn.endpoint, ()))
            request = ClaimRequest(share.holding, turn.endpoint, entry.activation, turn.room, held)
            asking.append((turn, share, request))
        if not asking:
            return
        now = self._clock()
        claiming = [self._schedule.claim(request, now) for _, _, request in asking]
        answers = await asyncio.gather(*claiming, return_exceptions=True)
        failure: BaseException | None = None
        for (turn, share, _), answer in zip(asking, answers, strict=True):
            if isinstance(answer, Claims):
                self._set_off(turn, share, answer)
                continue
            self._turns.began(turn, 0, self._now_ms())
            if isinstance(answer, Fenced):
                self._lose(share)
            else:
                failure = failure or answer
        if failure is not None:
            raise failure

    def _set_off(self, turn: Turn, share: _Share, claims: Claims) -> None:
        self._turns.began(turn, len(claims.claimed), claims.next_due_ms)
        for each in claims.claimed:
            share.held[each.endpoint].add(each.lane)
            task = asyncio.create_task(self._deliver(share, each))
            share.attempts.add(task)
            task.add_done_callback(share.attempts.discard)
        if claims.asked:
            self._serve(share, turn.endpoint, claims.asked)

    async def _deliver(self, share: _Share, claimed: Claimed) -> None:
        """One attempt, to its settlement."""
        is_success = False
        try:
            entry = self._endpoints.find(claimed.endpoint)
            if entry is None:
                return  # Gone since the claim; what it had is being forgotten.
            attempt = await self._use_cases.delivery.attempt(claimed, entry)
            is_success = attempt.error is None
            await self._retrying(
                lambda: self._use_cases.delivery.settle(share.holding, claimed, entry, attempt)
            )
            log.debug(
                "webhook_attempted",
                workspace=claimed.endpoint.workspace_id,
                webhook=claimed.endpoint.webhook_id,
                delivery=claimed.record.id,
                status=attempt.status,
                error=attempt.error,
            )
        except Fenced:
            self._lose(share)
        except Exception:
            log.exception("webhook_attempt_failed", delivery=claimed.record.id)
            await asyncio.sleep(DEFECT_DELAY_S)  # It stays due; do not try it in a hot loop.
        finally:
            held = share.held[claimed.endpoint]
            held.discard(claimed.lane)
            if not held:
                del share.held[claimed.endpoint]
            self._turns.ended(claimed.endpoint, is_success=is_success)
            self._turns.note(claimed.endpoint, self._now_ms())
            self._wake.set()

    # -- beside the loop ------------------------------------------------------------------------

    async def _watch(self, share: _Share) -> None:
        """Look at all of the share's endpoints, then at those with something new, until it is let go."""
        number = share.holding.share
        self._note(self._endpoints.of_share(number))
        while True:
            try:
                async with self._bells.listen(touched_key(number)) as bell:
                    await self._look(share, bell)
            except Retryable as error:
                self._block(error)
                await asyncio.sleep(RETRY_DELAY_S)
            else:
                return

    async def _look(self, share: _Share, bell: Doorbell) -> None:
        while True:
            bell.clear()
            self._note(await self._schedule.touched(share.holding))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_INTERVAL_S):
                    await bell.wait()
                continue
            if not await self._schedule.knows(share.holding):
                log.warning("webhook_schedule_lost", share=share.holding.share)
                self._again(share)
                return

    async def _leave(self, number: int) -> None:
        share = self._shares.pop(number, None)
        if share is None:
            return
        if share.attempts:
            # Shares go one after the other, and the group waits: they have one deadline together.
            now_s = asyncio.get_running_loop().time()
            if now_s > self._leave_by_s + LET_GO_S:
                self._leave_by_s = now_s + LET_GO_S
            await asyncio.wait(share.attempts, timeout=max(0.0, self._leave_by_s - now_s))
        await end_tasks([*share.tasks, *share.attempts])

    def _lose(self, share: _Share) -> None:
        """Somebody newer has the share: begin nothing more for it."""
        if self._shares.get(share.holding.share) is share:
            log.warning("webhook_share_lost", share=share.holding.share)
            del self._shares[share.holding.share]
            for each in share.tasks:
                each.cancel()

    def _again(self, share: _Share) -> None:
        """Redis was lost: take the share over anew, which has the log read again."""

        async def take_again() -> None:
            number = share.holding.share
            await self._leave(number)
            while number in self._owned and number not in self._shares:
                try:
                    await self.take(number)
                except Retryable as error:
                    self._block(error)
                    await asyncio.sleep(RETRY_DELAY_S)

        task = asyncio.create_task(take_again())
        self._attention.add(task)
        task.add_done_callback(self._attention.discard)

    async def _rebuilt(self, share: _Share, reread: Reread) -> None:
        """Plan again what a lost Redis had."""
        await self._retrying(lambda: self._use_cases.rereading.rebuild(share.holding.share, reread))
        log.info("webhook_share_rebuilt", share=share.holding.share)

    def _serve(self, share: _Share, endpoint: EndpointKey, asked: int) -> None:
        """Do what people asked for an endpoint. A replay stays asked for until it is done."""
        is_replaying = endpoint in share.replaying
        if asked > int(is_replaying) and endpoint not in share.testing:
            share.testing.add(endpoint)
            self._beside(share, self._tested(share, endpoint))
        if not is_replaying:
            share.replaying.add(endpoint)
            self._beside(share, self._replayed(share, endpoint))

    async def _tested(self, share: _Share, endpoint: EndpointKey) -> None:
        try:
            await self._retrying(lambda: self._use_cases.planning.test(endpoint))
        finally:
            share.testing.discard(endpoint)

    async def _replayed(self, share: _Share, endpoint: EndpointKey) -> None:
        try:
            await self._retrying(lambda: self._use_cases.rereading.replay(endpoint))
        finally:
            share.replaying.discard(endpoint)

    async def _reconsider(self, endpoints: Sequence[EndpointKey]) -> None:
        gone = [each for each in endpoints if self._endpoints.find(each) is None]
        for each in gone:
            self._turns.forget(each)
        mine = [each for each in gone if self._share_of(each) is not None]
        if mine:
            await self._retrying(lambda: self._schedule.forget(mine))
        self._note([each for each in endpoints if each not in gone])

    async def _retrying(self, attempt: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Repeat until it succeeds. Raises ``Fenced`` when somebody newer has the share."""
        while True:
            try:
                await attempt()
            except Fenced:
                raise
            except Retryable as error:
                self._block(error)
                await asyncio.sleep(RETRY_DELAY_S)
            else:
                return

    def _beside(self, share: _Share, part: Coroutine[Any, Any, None]) -> None:
        async def supervised() -> None:
            try:
                await part
            except Exception:
                log.exception("webhook_part_failed", share=share.holding.share)

        task = asyncio.create_task(supervised())
        share.tasks.add(task)
        task.add_done_callback(share.tasks.discard)

    def _note(self, endpoints: Sequence[EndpointKey]) -> None:
        now_ms = self._now_ms()
        for each in endpoints:
            self._turns.note(each, now_ms)
        if endpoints:
            self._wake.set()

    def _share_of(self, endpoint: EndpointKey) -> _Share | None:
        return self._shares.get(share_of(*endpoint))

    def _block(self, error: Retryable) -> None:
        if self.blocked_by != str(error):
            log.warning("webhooks_blocked", reason=str(error))
        self.blocked_by = str(error)

    def _now_ms(self) -> int:
        return milliseconds(self._clock())
