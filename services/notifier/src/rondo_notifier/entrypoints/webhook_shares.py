"""The shares of endpoints that this process delivers to: one loop that sends whatever is due.

A share is taken over with the partition of the same number, and let go with it. Who takes it over finds
in the schedule what its last owner left, under way or not, and goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from rondo_common.clock import Clock, milliseconds
from rondo_common.directory.entries import Kind, WebhookEntry
from rondo_common.directory.view import DirectoryChange
from rondo_common.errors import Fenced, Retryable
from rondo_common.ids import WebhookId
from rondo_common.redis.doorbells import Doorbell, Doorbells
from rondo_common.tasks import end_tasks
from rondo_common.webhooks import Reread, share_of, touched_key
from rondo_notifier.domain.fair_turns import FairTurns, Turn
from rondo_notifier.domain.webhooks import EndpointKey
from rondo_notifier.entrypoints.webhook_errands import RETRY_DELAY_S, Share, UseCases, WebhookErrands
from rondo_notifier.handlers.webhooks import Endpoints, Hopeless
from rondo_notifier.ports import Claimed, ClaimRequest, Claims, WebhookSchedule

log = structlog.get_logger(__name__)

LOOK_INTERVAL_S = 1.0
"""How often a share is looked at when its bell does not ring, and whether Redis still knows it."""
DEFECT_DELAY_S = 5.0
LET_GO_S = 2.0
"""How long a share that is taken away is waited for."""
SETTLE_S = 1.0
"""How long after that its attempts are settled; what is not by then is sent again."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked for an endpoint in a round. Without a turn, it only settles."""

    turn: Turn | None
    share: Share
    request: ClaimRequest


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
        self._delivery = use_cases.delivery
        self._errands = WebhookErrands(use_cases, self._block)
        self._bells = bells
        self._clock = clock
        self._rebuild = timedelta(seconds=rebuild_s)
        self._turns = turns or FairTurns()
        self._owned: set[int] = set()
        self._shares: dict[int, Share] = {}
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
        share = self._shares[number] = Share(holding)
        log.info("webhook_share_taken", share=number, reread=wanted is not None)
        share.beside(self._watch(share))
        if wanted is not None:
            self._errands.rebuild(share, wanted)

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
                    await self._round()
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

    async def _round(self) -> None:
        """Settle what has ended, claim for whoever has a turn, and set that off: one call an endpoint."""
        asking = self._asking(self._turns.take(self._now_ms()))
        answers = await asyncio.gather(
            *(self._delivery.settle_and_claim(each.request) for each in asking), return_exceptions=True
        )
        failure: BaseException | None = None
        for each, answer in zip(asking, answers, strict=True):
            if not isinstance(answer, BaseException):
                self._answered(each, *answer)
                continue
            if each.turn is not None:
                self._turns.began(each.turn, 0, self._now_ms())
            if isinstance(answer, Fenced):
                self._lose(each.share)
                continue
            failure = failure or answer
            if each.request.ended:
                each.share.ended[each.request.endpoint][:0] = each.request.ended
        if failure is not None:
            raise failure

    def _asking(self, turns: Sequence[Turn]) -> list[_Asking]:
        """What is asked for the endpoints that have a turn, and for those where something has ended."""
        turn_of = {turn.endpoint: turn for turn in turns}
        ended = [endpoint for share in self._shares.values() for endpoint in share.ended]
        asking: list[_Asking] = []
        for endpoint in dict.fromkeys([*turn_of, *ended]):
            turn = turn_of.get(endpoint)
            share, entry = self._share_of(endpoint), self._endpoints.find(endpoint)
            if share is not None and entry is not None and (entry.enabled or endpoint in share.ended):
                asking.append(_Asking(turn, share, _request(share, endpoint, entry, turn)))
                continue
            if share is not None:
                share.forget(endpoint)
            if turn is not None:
                self._turns.began(turn, 0, None)  # Whoever has it, or enables it, will see to it.
        return asking

    def _answered(self, asking: _Asking, claims: Claims, hopeless: Hopeless | None) -> None:
        """What has ended is settled; deliver what was claimed."""
        share, endpoint = asking.share, asking.request.endpoint
        for ended in asking.request.ended:
            share.release(ended.claimed)
        # A share that was let go meanwhile has a new owner, or will have: what was claimed is theirs.
        claimed = claims.claimed if self._share_of(endpoint) is share else ()
        if asking.turn is not None:
            self._turns.began(asking.turn, len(claimed), claims.next_due_ms)
        for each in claimed:
            share.held[endpoint].add(each.lane)
            task = asyncio.create_task(self._deliver(share, each))
            share.attempts.add(task)
            task.add_done_callback(share.attempts.discard)
        if claims.asked:
            self._errands.serve(share, endpoint, claims.asked)
        if hopeless is not None:
            self._errands.give_up(share, hopeless)

    async def _deliver(self, share: Share, claimed: Claimed) -> None:
        """One attempt. The next round settles it."""
        is_success = False
        try:
            entry = self._endpoints.find(claimed.endpoint)
            if entry is None:
                share.release(claimed)  # Gone since the claim; what it had is being forgotten.
                return
            ended = await self._delivery.attempt(claimed, entry)
            is_success = ended.settlement.is_success
            share.ended[claimed.endpoint].append(ended)
        except Exception:
            log.exception("webhook_attempt_failed", delivery=claimed.record.id)
            await asyncio.sleep(DEFECT_DELAY_S)  # It stays due; do not try it in a hot loop.
            share.release(claimed)
        finally:
            self._turns.ended(claimed.endpoint, is_success=is_success)
            self._turns.note(claimed.endpoint, self._now_ms())
            self._wake.set()

    # -- beside the loop ------------------------------------------------------------------------

    async def _watch(self, share: Share) -> None:
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

    async def _look(self, share: Share, bell: Doorbell) -> None:
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
        # Shares go one after the other, and the group waits: they have one deadline together.
        now_s = asyncio.get_running_loop().time()
        if now_s > self._leave_by_s + LET_GO_S:
            self._leave_by_s = now_s + LET_GO_S
        if share.attempts:
            await asyncio.wait(share.attempts, timeout=max(0.0, self._leave_by_s - now_s))
        settling = asyncio.create_task(self._settle_the_rest(share))
        left_s = self._leave_by_s + SETTLE_S - asyncio.get_running_loop().time()
        await asyncio.wait([settling], timeout=max(0.0, left_s))
        await end_tasks([settling, *share.tasks, *share.attempts])

    async def _settle_the_rest(self, share: Share) -> None:
        """Settle what has ended since the last round. What cannot be is sent again by the next owner."""
        requests = [
            _request(share, endpoint, entry, None)
            for endpoint in list(share.ended)
            if (entry := self._endpoints.find(endpoint)) is not None
        ]
        answers = await asyncio.gather(
            *(self._delivery.settle_and_claim(each) for each in requests), return_exceptions=True
        )
        unsettled = sum(isinstance(each, BaseException) for each in answers)
        if unsettled:
            log.warning("webhooks_left_unsettled", share=share.holding.share, endpoints=unsettled)

    def _lose(self, share: Share) -> None:
        """Somebody newer has the share: begin nothing more for it."""
        if self._shares.get(share.holding.share) is share:
            log.warning("webhook_share_lost", share=share.holding.share)
            del self._shares[share.holding.share]
            for each in share.tasks:
                each.cancel()

    def _again(self, share: Share) -> None:
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

    async def _reconsider(self, endpoints: Sequence[EndpointKey]) -> None:
        gone = [each for each in endpoints if self._endpoints.find(each) is None]
        for each in gone:
            self._turns.forget(each)
        mine = [each for each in gone if self._share_of(each) is not None]
        if mine:
            await self._errands.retrying(lambda: self._schedule.forget(mine))
        self._note([each for each in endpoints if each not in gone])

    def _note(self, endpoints: Sequence[EndpointKey]) -> None:
        now_ms = self._now_ms()
        for each in endpoints:
            self._turns.note(each, now_ms)
        if endpoints:
            self._wake.set()

    def _share_of(self, endpoint: EndpointKey) -> Share | None:
        return self._shares.get(share_of(*endpoint))

    def _block(self, error: Retryable) -> None:
        if self.blocked_by != str(error):
            log.warning("webhooks_blocked", reason=str(error))
        self.blocked_by = str(error)

    def _now_ms(self) -> int:
        return milliseconds(self._clock())


def _request(share: Share, endpoint: EndpointKey, entry: WebhookEntry, turn: Turn | None) -> ClaimRequest:
    """Takes what has ended."""
    ended = share.ended.pop(endpoint, [])
    count = turn.room if turn is not None and entry.enabled else 0
    held = share.held.get(endpoint, set()) - {each.claimed.lane for each in ended}
    return ClaimRequest(share.holding, endpoint, entry.activation, count, tuple(held), ended)
