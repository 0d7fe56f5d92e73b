"""Live streams over HTTP: server-sent events as a raw ASGI application, for thousands of readers."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from rondo_common.errors import Unavailable
from rondo_common.held_connections import HOLD
from rondo_common.ids import ID_PATTERN, ConversationId
from rondo_common.problems import Problem
from rondo_gateway.domain.cursors import Cursor
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.entrypoints import server_sent_events as sse
from rondo_gateway.entrypoints.callers import stream_caller
from rondo_gateway.entrypoints.event_outlets import AsgiOutlet, HeldOutlet
from rondo_gateway.entrypoints.open_streams import Jitter, OpenStreams
from rondo_gateway.entrypoints.session_watch import session_watch
from rondo_gateway.entrypoints.stream_readers import StreamReader, StreamTimes
from rondo_gateway.handlers.live_feed import LiveFeed
from rondo_gateway.handlers.use_cases import UseCases
from rondo_gateway.ports import Mailboxes

CLIENT_RETRY_MS_MIN = 1_000
CLIENT_RETRY_MS_MAX = 3_000

OpenFeed = Callable[[UseCases, Principal, str], Awaitable[LiveFeed]]


def name_in(path_params: dict[str, str]) -> str:
    """Whose stream it is."""
    name = path_params["id"]
    if not re.fullmatch(ID_PATTERN, name):
        raise NotFound("stream", repr(name))
    return name


def place_asked_for(headers: Headers, query: QueryParams) -> Cursor | None:
    """Where the reader wants to go on. Raises ``Problem``."""
    try:
        return sse.last_event_id(headers, query)
    except ValueError as error:
        detail = f"Last-Event-ID: {error}. Leave it out to begin with a snapshot."
        raise Problem(HTTPStatus.BAD_REQUEST, "malformed-request", detail) from None


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
        async with contextlib.AsyncExitStack() as stack:
            async with self._open_streams.opening:
                caller = await stream_caller(self._use_cases, request)
                feed = await self._open_feed(self._use_cases, caller, name_in(request.path_params))
                last = place_asked_for(request.headers, request.query_params)
                bell = await stack.enter_async_context(self._mailboxes.listen(feed.mailbox))
                session = await stack.enter_async_context(session_watch(self._use_cases, caller))
                first = sse.frames(await feed.start(last))
                if request.method == "HEAD":
                    await Response(headers=sse.HEADERS)(scope, receive, send)
                    return
                await feed.beat()
            stack.push_async_callback(close_feed, feed)
            await self._begin(first, send)
            hold = scope.get("extensions", {}).get(HOLD)
            if hold is None:
                reader = StreamReader(feed, bell, AsgiOutlet(send, self._jitter), self._times)
                session.follow(reader)
                with self._open_streams.kept(reader):
                    await _read_on(reader, receive)
            else:
                connection = hold()
                reader = StreamReader(feed, bell, HeldOutlet(connection, self._jitter), self._times)
                connection.when_lost(reader.gone)
                session.follow(reader)
                self._open_streams.follow(self._follow(reader, stack.pop_all()))

    async def _begin(self, first: bytes, send: Send) -> None:
        headers = [(name.encode(), value.encode()) for name, value in sse.HEADERS.items()]
        await send({"type": "http.response.start", "status": HTTPStatus.OK.value, "headers": headers})
        retry = sse.retry(self._jitter(CLIENT_RETRY_MS_MIN, CLIENT_RETRY_MS_MAX))
        await send({"type": "http.response.body", "body": retry + first, "more_body": True})

    async def _follow(self, reader: StreamReader, held: contextlib.AsyncExitStack) -> None:
        async with held:
            with self._open_streams.kept(reader):
                await reader.read_on()


async def _read_on(reader: StreamReader, receive: Receive) -> None:
    async def notice_leaving() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        reader.gone()

    leaving = asyncio.create_task(notice_leaving())
    try:
        await reader.read_on()
    finally:
        leaving.cancel()


async def close_feed(feed: LiveFeed) -> None:
    """The reader is gone."""
    with contextlib.suppress(Unavailable):  # It is noticed by the heartbeats that no longer come.
        await feed.close()


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
        Route("/v1/conversations/{id}/stream", endpoint(of_conversation), methods=["GET"]),
        Route("/v1/agents/{id}/stream", endpoint(of_agent), methods=["GET"]),
    ]


async def of_conversation(use_cases: UseCases, caller: Principal, name: str) -> LiveFeed:
    """What happens in a conversation."""
    return await use_cases.live_streams.of_conversation(caller, ConversationId(name))


async def of_agent(use_cases: UseCases, caller: Principal, name: str) -> LiveFeed:
    """What concerns an agent."""
    return await use_cases.live_streams.of_agent(caller, name)
