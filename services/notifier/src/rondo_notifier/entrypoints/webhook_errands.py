"""What a share asks for beside its deliveries: tests, replays, rebuilds, and giving endpoints up."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from rondo_common.errors import Fenced, Retryable
from rondo_common.webhooks import Reread
from rondo_notifier.domain.webhooks import EndpointKey
from rondo_notifier.handlers.webhooks import Hopeless, Rereading, WebhookDelivery, WebhookPlanning
from rondo_notifier.ports import Claimed, Ended, Holding

log = structlog.get_logger(__name__)

RETRY_DELAY_S = 0.5


@dataclass(frozen=True, slots=True)
class UseCases:
    """What is done for endpoints."""

    planning: WebhookPlanning
    delivery: WebhookDelivery
    rereading: Rereading


@dataclass(slots=True)
class Share:
    """A share that this process has, and what goes on for it."""

    holding: Holding
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    attempts: set[asyncio.Task[None]] = field(default_factory=set)
    held: defaultdict[EndpointKey, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The lanes in which something is claimed."""
    ended: defaultdict[EndpointKey, list[Ended]] = field(default_factory=lambda: defaultdict(list))
    """Attempts that are to be settled."""
    testing: set[EndpointKey] = field(default_factory=set)
    replaying: set[EndpointKey] = field(default_factory=set)
    giving_up: set[EndpointKey] = field(default_factory=set)

    def release(self, claimed: Claimed) -> None:
        """Nothing is claimed in its lane any more."""
        held = self.held.get(claimed.endpoint, set())
        held.discard(claimed.lane)
        if not held:
            self.held.pop(claimed.endpoint, None)

    def forget(self, endpoint: EndpointKey) -> None:
        """The endpoint is gone, or takes nothing at present."""
        for ended in self.ended.pop(endpoint, []):
            self.release(ended.claimed)

    def beside(self, part: Coroutine[Any, Any, None]) -> None:
        """Have ``part`` go on for as long as the share is this process's."""

        async def supervised() -> None:
            try:
                await part
            except Exception:
                log.exception("webhook_part_failed", share=self.holding.share)

        task = asyncio.create_task(supervised())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class WebhookErrands:
    """Runs errands beside a share's deliveries, each until it succeeds. ``blocked`` is told what they
    wait for."""

    def __init__(self, use_cases: UseCases, blocked: Callable[[Retryable], None]) -> None:
        self._use_cases = use_cases
        self._blocked = blocked

    def rebuild(self, share: Share, reread: Reread) -> None:
        """Plan again what a lost Redis had."""
        share.beside(self._rebuilt(share, reread))

    def serve(self, share: Share, endpoint: EndpointKey, asked: int) -> None:
        """Do what people asked for an endpoint. A replay stays asked for until it is done."""
        is_replaying = endpoint in share.replaying
        if asked > int(is_replaying):
            self._once(share.testing, share, endpoint, lambda: self._use_cases.planning.test(endpoint))
        self._once(share.replaying, share, endpoint, lambda: self._use_cases.rereading.replay(endpoint))

    def give_up(self, share: Share, hopeless: Hopeless) -> None:
        """Send nothing more to an endpoint, and tell its owner."""

        def attempt() -> Coroutine[Any, Any, None]:
            return self._use_cases.delivery.give_up(share.holding, hopeless)

        self._once(share.giving_up, share, hopeless.endpoint, attempt)

    async def retrying(self, attempt: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Repeat until it succeeds. Raises ``Fenced`` when somebody newer has the share."""
        while True:
            try:
                await attempt()
            except Fenced:
                raise
            except Retryable as error:
                self._blocked(error)
                await asyncio.sleep(RETRY_DELAY_S)
            else:
                return

    def _once(
        self,
        running: set[EndpointKey],
        share: Share,
        endpoint: EndpointKey,
        attempt: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        """Run the errand for the endpoint, unless it runs."""
        if endpoint in running:
            return
        running.add(endpoint)

        async def run() -> None:
            try:
                await self.retrying(attempt)
            finally:
                running.discard(endpoint)

        share.beside(run())

    async def _rebuilt(self, share: Share, reread: Reread) -> None:
        await self.retrying(lambda: self._use_cases.rereading.rebuild(share.holding.share, reread))
        log.info("webhook_share_rebuilt", share=share.holding.share)
