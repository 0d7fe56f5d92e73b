"""Live streams: server-sent events as a raw ASGI application, for thousands of readers a process."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from rondo_common.errors import Unavailable
from rondo_common.ids import ID_PATTERN, ConversationId
from rondo_common.problems import Problem
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import NotAuthenticated, NotFound
from rondo_gateway.entrypoints import server_sent_events as sse
from rondo_gateway.entrypoints.callers import bearer_of
from rondo_gateway.entrypoints.queue_watch import QueueWatch
from rondo_gateway.handlers.live_feed import LiveFeed, Told
from rondo_gateway.handlers.queue_place import QUEUED
from rondo_gateway.handlers.use_cases import UseCases
from rondo_gateway.ports import Mailboxes, WhisperingBell

CLIENT_RETRY_MS_MIN = 1_000
CLIENT_RETRY_MS_MAX = 3_000
HEARTBEAT_S_MAX = 20.0
BEATS_PER_LEASE_MIN = 3

OpenFeed = Callable[[UseCases, Principal, str], Awaitable[LiveFeed]]
Jitter = Callable[[int, int], int]
"""A random whole number between two, both included."""


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """How often a comment shows that the connection lives, Redis is looked for when it is away, and a
    place in the queue is looked up at most."""

    heartbeat_s: float = HEARTBEAT_S_MAX
    redis_retry_s: float = 1.0
    queue_look_s: float = 0.4

    @classmethod
    def within_lease(cls, presence_lease_s: float) -> StreamTimes:
        """With heartbeats often enough that an open stream keeps a lease of this length."""
        return cls(heartbeat_s=min(HEARTBEAT_S_MAX, presence_lease_s / BEATS_PER_LEASE_MIN))


class OpenStream(Protocol):
    """A stream that can be told to end."""

    def leave(self) -> None:
        """End the stream soon."""
        ...


class OpenStreams:
    """The streams open in this process, so that they can be ended when it stops."""

    def __init__(self) -> None:
        self._open: set[OpenStream] = set()
        self._is_closed = False

    async def end_with(self, stop: asyncio.Event) -> None:
        """Wait for ``stop``, then end every stream. Their readers come back to another gateway."""
        await stop.wait()
        self._is_closed = True
        for reader in self._open:
            reader.leave()

    @contextlib.contextmanager
    def kept(self, reader: OpenStream) -> Iterator[None]:
        """Count ``reader`` among the open streams."""
        if self._is_closed:
            reader.leave()
        self._open.add(reader)
        try:
            yield
        finally:
            self._open.discard(reader)


class StreamEndpoint:
    """One kind of stream, as an ASGI application."""

    def __init__(
        self,
        use_cases: UseCases,
        mailboxes: Mailboxes,
        open_streams: OpenStreams,
        jitter: Jitter,
        times: StreamTimes,
        open_feed: OpenFeed,
    ) -> None:
        self._use_cases = use_cases
        self._mailboxes = mailboxes
        self._open_streams = open_streams
        self._jitter = jitter
        self._times = times
        self._open_feed = open_feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a stream. Refusals are raised before it starts."""
        request = Request(scope)
        feed = await self._feed(request)
        try:
            last = sse.last_event_id(request.headers, request.query_params)
        except ValueError as error:
            detail = f"Last-Event-ID: {error}. Leave it out to begin with a snapshot."
            raise Problem(HTTPStatus.BAD_REQUEST, "malformed-request", detail) from None
        async with self._mailboxes.listen(feed.mailbox) as bell:
            first = sse.frames(await feed.start(last))
            if request.method == "HEAD":
                await Response(headers=sse.HEADERS)(scope, receive, send)
                return
            retry_ms = self._jitter(CLIENT_RETRY_MS_MIN, CLIENT_RETRY_MS_MAX)
            reader = _Reader(feed, bell, send, self._times)
            with self._open_streams.kept(reader):
                await self._serve(feed, reader, sse.retry(retry_ms) + first, receive)

    async def _serve(self, feed: LiveFeed, reader: _Reader, first: bytes, receive: Receive) -> None:
        await feed.beat()
        try:
            await reader.begin(first)
            await reader.read_on(receive)
        finally:
            with contextlib.suppress(Unavailable):  # It is noticed by the heartbeats that no longer come.
                await feed.close()

    async def _feed(self, request: Request) -> LiveFeed:
        credential = bearer_of(request.headers) or request.query_params.get("access_token")
        if not credential:
            raise NotAuthenticated(
                "Send a credential as 'Authorization: Bearer <credential>' or as ?access_token=."
            )
        caller = await self._use_cases.authentication.identify(credential)
        name = request.path_params["id"]
        if not re.fullmatch(ID_PATTERN, name):
            raise NotFound("stream", repr(name))
        return await self._open_feed(self._use_cases, caller, name)


class _Reader:
    """One connection: tells what the feed has, sleeps on the bell, beats, and notices the end."""

    def __init__(self, feed: LiveFeed, bell: WhisperingBell, send: Send, times: StreamTimes) -> None:
        self._feed = feed
        self._bell = bell
        self._send = send
        self._times = times
        self._watch = (
            None
            if feed.place is None
            else QueueWatch(feed.place, bell, interval_s=times.queue_look_s, retry_s=times.redis_retry_s)
        )
        self._has_left = False
        self._was_interrupted = False
        self._beat_at_s = asyncio.get_running_loop().time() + times.heartbeat_s

    def leave(self) -> None:
        """End the stream soon."""
        self._has_left = True
        self._bell.set()

    async def begin(self, first: bytes) -> None:
        """Start the response."""
        await self._send(
            {
                "type": "http.response.start",
                "status": HTTPStatus.OK.value,
                "headers": [(name.encode(), value.encode()) for name, value in sse.HEADERS.items()],
            }
        )
        await self._tell(first)

    async def read_on(self, receive: Receive) -> None:
        """Tell what happens until the reader leaves, the process stops or the permission ends."""
        leaving = asyncio.create_task(self._notice_leaving(receive))
        try:
            while not self._has_left:
                self._bell.clear()
                if not await self._beat_if_due():
                    break
                if not await self._tell_news():
                    await self._sleep()
        finally:
            leaving.cancel()
            if self._watch is not None:
                self._watch.close()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _notice_leaving(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.leave()

    async def _beat_if_due(self) -> bool:
        """Send a heartbeat when it is time. False when the reader may not read any more."""
        now = asyncio.get_running_loop().time()
        if now < self._beat_at_s:
            return True
        self._beat_at_s = now + self._times.heartbeat_s
        with contextlib.suppress(Unavailable):  # Cannot be told now; the next beat asks again.
            if not await self._feed.beat():
                return False
        await self._feed.renew_presence()
        await self._tell(sse.HEARTBEAT)
        return True

    async def _tell_news(self) -> bool:
        """Tell the next batch. False when there is none, or Redis is away (the connection stays)."""
        signs = self._feed.signs(self._bell.whispered())
        if signs:
            await self._tell(sse.frames(signs))
        try:
            news = await self._feed.check() if self._was_interrupted else []
            self._was_interrupted = False
            news = news or await self._feed.next() or self._place_found()
        except Unavailable:
            self._was_interrupted = True
            return False
        if news:
            await self._tell(sse.frames(news))
        self._follow_queue(is_place_told=any(each.type == QUEUED for each in news))
        return bool(news)

    def _place_found(self) -> list[Told]:
        found = None if self._watch is None else self._watch.take()
        return [] if found is None else self._feed.tell_place(found)

    def _follow_queue(self, *, is_place_told: bool) -> None:
        if self._watch is None:
            return
        self._watch.follow()
        if is_place_told:
            self._watch.look_again()

    async def _sleep(self) -> None:
        now = asyncio.get_running_loop().time()
        retry_at_s = now + self._times.redis_retry_s
        until_s = min(retry_at_s, self._beat_at_s) if self._was_interrupted else self._beat_at_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until_s):
                await self._bell.wait()

    async def _tell(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})


def stream_routes(
    use_cases: UseCases,
    mailboxes: Mailboxes,
    open_streams: OpenStreams,
    jitter: Jitter,
    times: StreamTimes,
) -> list[BaseRoute]:
    """The routes of both kinds of streams."""

    def endpoint(open_feed: OpenFeed) -> StreamEndpoint:
        return StreamEndpoint(use_cases, mailboxes, open_streams, jitter, times, open_feed)

    return [
        Route("/v1/conversations/{id}/stream", endpoint(_of_conversation), methods=["GET"]),
        Route("/v1/agents/{id}/stream", endpoint(_of_agent), methods=["GET"]),
    ]


async def _of_conversation(use_cases: UseCases, caller: Principal, name: str) -> LiveFeed:
    return await use_cases.live_streams.of_conversation(caller, ConversationId(name))


async def _of_agent(use_cases: UseCases, caller: Principal, name: str) -> LiveFeed:
    return await use_cases.live_streams.of_agent(caller, name)
