"""Routes to live metrics: the last windows, and a stream of them."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus

from fastapi import APIRouter, Response
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from rondo_common.errors import Unavailable
from rondo_common.problems import Problem
from rondo_gateway.domain.metrics_board import MetricsWindows
from rondo_gateway.entrypoints import server_sent_events as sse
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.entrypoints.callers import Caller, Gateway, stream_caller
from rondo_gateway.entrypoints.documentation import documented
from rondo_gateway.entrypoints.live_streams import CLIENT_RETRY_MS_MAX, CLIENT_RETRY_MS_MIN
from rondo_gateway.entrypoints.open_streams import Jitter, OpenStreams
from rondo_gateway.entrypoints.session_watch import session_watch
from rondo_gateway.entrypoints.stream_readers import StreamTimes
from rondo_gateway.handlers.live_metrics import MetricsFeed
from rondo_gateway.handlers.use_cases import UseCases
from rondo_gateway.ports import Bell, LiveMetrics

STREAM_PATH = "/v1/metrics/live/stream"


def metrics_routes() -> APIRouter:
    """The route to the last windows."""
    routes = APIRouter(tags=["metrics"])
    routes.add_api_route(
        "/v1/metrics/live",
        read_live_metrics,
        methods=["GET"],
        response_model=MetricsWindows,
        **documented("apiKey", "agentToken"),
    )
    return routes


async def read_live_metrics(gateway: Gateway, caller: Caller) -> Response:
    """The last windows of 10 s of the caller's workspace, oldest first.

    For an API key, and for agents with the permission `analytics_view`. A window without anything in
    it, and without open chats, is left out. An event that came late corrects its window.
    """
    return json_answer(await gateway.live_metrics.windows(caller))


def metrics_stream_route(
    use_cases: UseCases,
    metrics: LiveMetrics,
    open_streams: OpenStreams,
    jitter: Jitter,
    times: StreamTimes,
) -> BaseRoute:
    """The route of the stream."""
    endpoint = MetricsStreamEndpoint(use_cases, metrics, open_streams, jitter, times)
    return Route(STREAM_PATH, endpoint, methods=["GET"])


class MetricsStreamEndpoint:
    """The stream of live metrics, as an ASGI application."""

    def __init__(
        self,
        use_cases: UseCases,
        metrics: LiveMetrics,
        open_streams: OpenStreams,
        jitter: Jitter,
        times: StreamTimes,
    ) -> None:
        self._use_cases = use_cases
        self._metrics = metrics
        self._open_streams = open_streams
        self._jitter = jitter
        self._times = times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the stream. Refusals are raised before it starts."""
        request = Request(scope)
        caller = await stream_caller(self._use_cases, request)
        feed = await self._use_cases.live_metrics.feed(caller)
        try:
            last = sse.last_event_id(request.headers, request.query_params)
        except ValueError as error:
            detail = f"Last-Event-ID: {error}. Leave it out to begin with a snapshot."
            raise Problem(HTTPStatus.BAD_REQUEST, "malformed-request", detail) from None
        async with (
            self._metrics.listen(feed.workspace_id) as bell,
            session_watch(self._use_cases, caller) as session,
        ):
            first = sse.frames(await feed.start(last))
            if request.method == "HEAD":
                await Response(headers=dict(sse.HEADERS))(scope, receive, send)
                return
            retry_ms = self._jitter(CLIENT_RETRY_MS_MIN, CLIENT_RETRY_MS_MAX)
            reader = _MetricsReader(feed, bell, send, self._times.heartbeat_s)
            session.follow(reader)
            with self._open_streams.kept(reader):
                await reader.begin(sse.retry(retry_ms) + first)
                await reader.read_on(receive)


class _MetricsReader:
    """One connection: tells the windows as they come, beats in between, and notices the end."""

    def __init__(self, feed: MetricsFeed, bell: Bell, send: Send, heartbeat_s: float) -> None:
        self._feed = feed
        self._bell = bell
        self._send = send
        self._heartbeat_s = heartbeat_s
        self._has_left = False

    def leave(self) -> None:
        """End the stream soon."""
        self._has_left = True
        self._bell.set()

    async def may_go_on(self) -> bool:
        """Whether the reader may still be here; if not, the stream ends. What cannot be found out now is
        found out by the next heartbeat."""
        with contextlib.suppress(Unavailable):
            if not await self._feed.is_permitted():
                self.leave()
        return not self._has_left

    async def begin(self, first: bytes) -> None:
        """Start the response."""
        headers = [(name.encode(), value.encode()) for name, value in sse.HEADERS.items()]
        await self._send({"type": "http.response.start", "status": HTTPStatus.OK.value, "headers": headers})
        await self._tell(first)

    async def read_on(self, receive: Receive) -> None:
        """Tell what comes until the reader leaves, the process stops or the permission ends."""
        leaving = asyncio.create_task(self._notice_leaving(receive))
        try:
            while not self._has_left and await self.may_go_on():
                self._bell.clear()
                await self._tell(await self._news())
                try:
                    async with asyncio.timeout(self._heartbeat_s):
                        await self._bell.wait()
                except TimeoutError:
                    await self._tell(sse.HEARTBEAT)
        finally:
            leaving.cancel()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _news(self) -> bytes:
        with contextlib.suppress(Unavailable):  # Then there is nothing new either.
            return sse.frames(await self._feed.next())
        return b""

    async def _notice_leaving(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.leave()

    async def _tell(self, body: bytes) -> None:
        if body:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
