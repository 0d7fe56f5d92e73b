"""Live streams over WebSocket: the same events, and commands the other way.

Close codes: 1008 the credential or the place is not (or no longer) good; 1009 a frame is too large; 1011 a
defect, or no answer to a ping; 1012 the gateway stops; 1013 the reader is too slow, or something is out of
reach. The last frame before 1008, 1011, 1012 and 1013 is ``stream.closed``, which says why.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Sequence
from http import HTTPStatus

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from rondo_common.held_connections import CUT_OFF
from rondo_common.tasks import end_tasks
from rondo_gateway.entrypoints.callers import stream_caller
from rondo_gateway.entrypoints.live_streams import (
    OpenFeed,
    close_feed,
    name_in,
    of_agent,
    of_conversation,
    place_asked_for,
)
from rondo_gateway.entrypoints.open_streams import STALLED_S_MAX, OpenStreams, TooSlow
from rondo_gateway.entrypoints.problems import any_problem
from rondo_gateway.entrypoints.session_watch import session_watch
from rondo_gateway.entrypoints.socket_commands import SocketCommands, told
from rondo_gateway.entrypoints.stream_readers import StreamReader, StreamTimes
from rondo_gateway.handlers.live_feed import STREAM_CLOSED, Closing, Told
from rondo_gateway.handlers.use_cases import UseCases
from rondo_gateway.ports import Mailboxes

POLICY_VIOLATION = 1008
INTERNAL_ERROR = 1011
SERVICE_RESTART = 1012
TRY_AGAIN_LATER = 1013
CLIENT_ERRORS = range(400, 500)
CODES = {
    Closing.NOT_PERMITTED: POLICY_VIOLATION,
    Closing.FAILED: INTERNAL_ERROR,
    Closing.RESTARTING: SERVICE_RESTART,
    Closing.TOO_SLOW: TRY_AGAIN_LATER,
}


class SocketOutlet:
    """See :class:`rondo_gateway.entrypoints.open_streams.Outlet`. Answers go out here too."""

    def __init__(self, scope: Scope, send: Send, stalled_s_max: float = STALLED_S_MAX) -> None:
        self._cut_off = scope.get("extensions", {}).get(CUT_OFF)
        self._send = send
        self._stalled_s_max = stalled_s_max

    async def tell(self, events: Sequence[Told]) -> None:
        """See :class:`Outlet`."""
        for event in events:
            await self.say(_frame(event))

    async def beat(self) -> None:
        """See :class:`Outlet`. The server's pings show already that the connection lives."""

    async def close(self, last: Told, reason: Closing) -> None:
        """See :class:`Outlet`."""
        if reason is Closing.TOO_SLOW and self._cut_off is not None:
            self._cut_off(_frame(last), CODES[reason], reason.value)
            return
        try:
            await self.say(_frame(last))
            await self._within({"type": "websocket.close", "code": CODES[reason], "reason": reason.value})
        except (TooSlow, OSError):  # Then nothing more can be said, nor needs to be.
            return

    async def say(self, text: str) -> None:
        """Send a frame. Raises ``TooSlow``."""
        await self._within({"type": "websocket.send", "text": text})

    async def _within(self, message: Message) -> None:
        try:
            async with asyncio.timeout(self._stalled_s_max):
                await self._send(message)
        except TimeoutError:
            raise TooSlow from None


class SocketEndpoint:
    """One kind of socket, as an ASGI application."""

    def __init__(
        self,
        use_cases: UseCases,
        mailboxes: Mailboxes,
        open_streams: OpenStreams,
        times: StreamTimes,
        open_feed: OpenFeed,
    ) -> None:
        self._use_cases = use_cases
        self._mailboxes = mailboxes
        self._open_streams = open_streams
        self._times = times
        self._open_feed = open_feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a socket. Whoever may not have it is told so in words that a browser shows to its page,
        which it does not with the answer to a handshake."""
        await receive()  # The handshake.
        await send({"type": "websocket.accept"})
        socket = WebSocket(scope, receive, send)
        try:
            async with contextlib.AsyncExitStack() as stack:
                async with self._open_streams.opening:
                    caller = await stream_caller(self._use_cases, socket)
                    feed = await self._open_feed(self._use_cases, caller, name_in(socket.path_params))
                    last = place_asked_for(socket.headers, socket.query_params)
                    bell = await stack.enter_async_context(self._mailboxes.listen(feed.mailbox))
                    session = await stack.enter_async_context(session_watch(self._use_cases, caller))
                    first = await feed.start(last)
                    await feed.beat()
                stack.push_async_callback(close_feed, feed)
                outlet = SocketOutlet(scope, send)
                await outlet.tell(first)
                reader = StreamReader(feed, bell, outlet, self._times)
                session.follow(reader)
                commands = SocketCommands(self._use_cases, caller, feed.conversation_id)
                await self._serve(commands, reader, outlet, receive)
        except (OSError, TooSlow):  # The caller left, or does not even take the beginning.
            return
        except Exception as error:
            await _refuse(error, send)

    async def _serve(
        self, commands: SocketCommands, reader: StreamReader, outlet: SocketOutlet, receive: Receive
    ) -> None:
        obeying = asyncio.create_task(_obey(commands, reader, outlet, receive))
        try:
            with self._open_streams.kept(reader):
                await reader.read_on()
        finally:
            await end_tasks([obeying])


def socket_routes(
    use_cases: UseCases, mailboxes: Mailboxes, open_streams: OpenStreams, times: StreamTimes
) -> list[BaseRoute]:
    """The routes of both kinds of sockets."""

    def endpoint(open_feed: OpenFeed) -> SocketEndpoint:
        return SocketEndpoint(use_cases, mailboxes, open_streams, times, open_feed)

    return [
        WebSocketRoute("/v1/conversations/{id}/socket", endpoint(of_conversation)),
        WebSocketRoute("/v1/agents/{id}/socket", endpoint(of_agent)),
    ]


async def _obey(
    commands: SocketCommands, reader: StreamReader, outlet: SocketOutlet, receive: Receive
) -> None:
    """Carry out one command after the other until the caller leaves. Meanwhile the next ones wait in
    the connection, which is bounded."""
    try:
        while (message := await receive())["type"] == "websocket.receive":
            if not await reader.may_go_on():
                return
            await outlet.say(await commands.answer(message.get("text")))
    except OSError:
        pass
    except TooSlow:
        reader.close(Closing.TOO_SLOW)
        return
    reader.gone()


def _frame(event: Told) -> str:
    """The event as over SSE, with its cursor. A reader goes on after the last that has one."""
    cursor = "null" if event.cursor is None else f'"{event.cursor}"'
    return f'{{"cursor":{cursor},{event.data[1:]}'


async def _refuse(error: Exception, send: Send) -> None:
    trace_id = uuid.uuid4().hex
    problem = any_problem(error, "a socket", trace_id)
    last = {
        "cursor": None,
        "type": STREAM_CLOSED,
        "data": {"reason": "refused", "problem": told(problem, trace_id)},
    }
    code = POLICY_VIOLATION if problem.status in CLIENT_ERRORS else TRY_AGAIN_LATER
    if problem.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        code = INTERNAL_ERROR
    with contextlib.suppress(OSError):
        await send({"type": "websocket.send", "text": json.dumps(last)})
        await send({"type": "websocket.close", "code": code, "reason": problem.code})
