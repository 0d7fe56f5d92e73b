"""The life of a service process: start, run until told to stop, stop in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from rondo_common.errors import Fatal, Retryable, RondoError
from rondo_common.tasks import end_tasks

log = structlog.get_logger(__name__)

RETRY_DELAY_S = 0.5
HTTP_STOP_S = 10
"""How long requests under way may still take once the process is told to stop."""
SOCKET_MESSAGE_BYTES_MAX = 64 * 1024
YOUNG_OBJECTS_MAX = 50_000
"""How many objects are made before the garbage collector looks for cycles among them."""
HELD = "rondo_common.held_connections"


def run_process(main: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    """Run ``main`` on uvloop until it returns; SIGTERM and SIGINT set its stop event.

    Returns:
        The exit status: 0 after an orderly stop, 1 when the process could not go on (it says why).
    """

    async def supervised() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, stop.set)
        await main(stop)

    _spare_the_collector()
    try:
        uvloop.run(supervised())
    except RondoError as error:
        log.critical("process_ended", reason=str(error))
        return 1
    return 0


def _spare_the_collector() -> None:
    """Keep the garbage collector from going through all modules again and again.

    Every request under way keeps some dozens of objects. With Python's own limit of 700 their coming and
    going alone has all that was imported looked through, which took a third of a busy notifier's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX)


async def run_together(
    stop: asyncio.Event,
    *,
    stopping: Sequence[Coroutine[Any, Any, None]],
    background: Sequence[Coroutine[Any, Any, None]] = (),
) -> None:
    """Run all parts side by side until ``stop`` is set or one of them ends.

    ``stopping`` parts watch ``stop`` themselves and are waited for: they finish what is under way.
    ``background`` parts are cancelled after that.

    Raises:
        Fatal: a part failed, or ended before ``stop`` was set.
    """
    foreground = [asyncio.create_task(part) for part in stopping]
    behind = [asyncio.create_task(part) for part in background]
    stopped = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({*foreground, *behind, stopped}, return_when=asyncio.FIRST_COMPLETED)
    orderly = stopped in done
    stop.set()
    results = await asyncio.gather(*foreground, return_exceptions=True)
    await end_tasks(behind)
    results += await asyncio.gather(*behind, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise Fatal(f"a part of the process failed: {result!r}") from result
    if not orderly:
        raise Fatal("a part of the process ended by itself")


async def until_reachable(attempt: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Repeat ``attempt`` until its dependency answers, or ``stop`` is set: servers may start late."""
    while not stop.is_set():
        try:
            await attempt()
        except Retryable as error:
            log.warning("waiting_for_dependency", reason=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY_DELAY_S):
                    await stop.wait()
        else:
            return


async def serve_http(
    app: ASGIApp, *, host: str, port: int, stop: asyncio.Event, streaming: bool = False
) -> None:
    """Serve ``app`` until ``stop`` is set, then finish what is under way and return.

    ``streaming``: also WebSockets, and the extensions of :mod:`rondo_common.held_connections`. Whoever
    holds a connection ends it when ``stop`` is set.

    Raises:
        Fatal: the address cannot be listened on.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=HTTP_STOP_S,
        loop="none",
        http=f"{HELD}:HoldingHttpProtocol" if streaming else "httptools",
        ws=f"{HELD}:CuttableWebSocketProtocol" if streaming else "none",
        ws_max_size=SOCKET_MESSAGE_BYTES_MAX,
        ws_per_message_deflate=False,  # Costs each connection more memory than all else of it.
    )
    _allow_many_connections()
    server = uvicorn.Server(config)

    @contextlib.contextmanager
    def no_signal_handlers() -> Any:
        yield  # run_process has its own; uvicorn's would swallow the second signal.

    server.capture_signals = no_signal_handlers  # type: ignore[method-assign]  # uvicorn has no setting for it
    serving = asyncio.create_task(server.serve())
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    except SystemExit:
        raise Fatal(f"cannot listen on {host}:{port}; is the port taken?") from None
    finally:
        stopped.cancel()


def _allow_many_connections() -> None:
    """As many open files as the process may have: the usual limit is 1024."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(OSError, ValueError):  # Where it cannot be: as many as there are.
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))
