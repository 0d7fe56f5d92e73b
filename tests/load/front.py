"""What stands before the gateways: requests go to those that say they are ready, as endpoints do."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx

from rondo_common.tasks import end_tasks

LOOK_S = 0.1
PROBE_TIMEOUT_S = 5.0
CONNECTIONS_MAX = 500


class Front(httpx.AsyncBaseTransport):
    """Passes each request to the next gateway that is in service, and never twice.

    Who says at ``/readyz`` that it is not ready, or was taken out, gets no new request; those it has go
    on. Requests wait here while nobody is in service.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = [httpx.URL(url) for url in urls]
        self._turns = itertools.count()
        self._in_service: list[httpx.URL] = []
        self._taken_out: set[httpx.URL] = set()
        self._asked: Counter[httpx.URL] = Counter()
        """How many requests each has that it has not begun to answer."""
        self._somebody = asyncio.Condition()
        limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
        self._onward = httpx.AsyncHTTPTransport(limits=limits, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See :class:`httpx.AsyncBaseTransport`."""
        onward = await self.next_url()
        request.url = request.url.copy_with(scheme=onward.scheme, host=onward.host, port=onward.port)
        self._asked[onward] += 1
        try:
            return await self._onward.handle_async_request(request)
        finally:
            self._asked[onward] -= 1
            async with self._somebody:
                self._somebody.notify_all()

    async def next_url(self) -> httpx.URL:
        """Whose turn it is; waits for one that is in service."""
        async with self._somebody:
            await self._somebody.wait_for(lambda: self._in_service)
        return self._in_service[next(self._turns) % len(self._in_service)]

    async def until(self, url: str, *, in_service: bool) -> None:
        """Wait until requests go to this one, or no longer do."""
        async with self._somebody:
            await self._somebody.wait_for(lambda: (httpx.URL(url) in self._in_service) is in_service)

    async def take_out(self, url: str) -> None:
        """Send nothing to this one any more, and return when it has begun to answer all it was sent: as
        endpoints forget a pod before it is told to stop."""
        gone = httpx.URL(url)
        async with self._somebody:
            self._taken_out.add(gone)
            self._in_service = [each for each in self._in_service if each != gone]
            await self._somebody.wait_for(lambda: not self._asked[gone])

    async def put_back(self, url: str) -> None:
        """Send requests to this one again, and return when it is ready for them."""
        self._taken_out.discard(httpx.URL(url))
        await self.until(url, in_service=True)

    async def watch(self) -> None:
        """Ask each whether it is ready, again and again, until cancelled."""
        async with httpx.AsyncClient(timeout=PROBE_TIMEOUT_S, trust_env=False) as http:
            while True:
                ready = await asyncio.gather(*(_is_ready(http, url) for url in self._urls))
                async with self._somebody:
                    self._in_service = [
                        url
                        for url, says_so in zip(self._urls, ready, strict=True)
                        if says_so and url not in self._taken_out
                    ]
                    self._somebody.notify_all()
                await asyncio.sleep(LOOK_S)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._onward.aclose()


async def _is_ready(http: httpx.AsyncClient, url: httpx.URL) -> bool:
    try:
        return (await http.get(url.join("/readyz"))).is_success
    except httpx.HTTPError:
        return False


@asynccontextmanager
async def in_front_of(urls: Sequence[str]) -> AsyncIterator[Front]:
    """A front that watches while the body runs."""
    front = Front(urls)
    watching = asyncio.create_task(front.watch())
    try:
        yield front
    finally:
        await end_tasks([watching])
        await front.aclose()
