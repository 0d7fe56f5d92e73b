"""What the small Rondos of these tests have in common: refusals, a network that can be away, streams."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from rondo_common.problems import answer_with_problems

Json = dict[str, Any]


@dataclass
class FakeServer:
    """What a test sees and does of any of them."""

    url: str = ""
    is_reachable: bool = True
    loses_answers: int = 0
    """So many messages are taken whose answers are lost."""
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    """Every call that is noted: method, path, body."""
    refusals: dict[str, list[Response]] = field(default_factory=lambda: defaultdict(list))
    """What the next calls to a path's last part get instead."""
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _cut: asyncio.Event = field(default_factory=asyncio.Event)

    def refuse(self, call: str, status: int, code: str, **headers: str) -> None:
        """The next call whose path ends with ``call`` is refused."""
        self.refusals[call].append(problem(status, code, headers))

    def refusal_of(self, path: str) -> Response | None:
        """What a call gets instead of what it asks for; once."""
        for ending, refusals in self.refusals.items():
            if path.endswith(ending) and refusals:
                return refusals.pop(0)
        return None

    def cut_streams(self) -> None:
        """Every open stream breaks."""
        self._cut.set()
        self._cut = asyncio.Event()

    def calls(self, ending: str) -> list[Any]:
        """The bodies of the noted calls whose path ends so."""
        return [body for _, path, body in self.requests if path.endswith(ending)]

    def note(self, method: str, path: str, body: bytes) -> None:
        """Remember a call."""
        self.requests.append((method, path, json.loads(body) if body else None))

    def ring(self) -> None:
        """There is something new for the streams."""
        self._bell.set()
        self._bell = asyncio.Event()

    async def news(self, cut: asyncio.Event) -> None:
        """Return when it rings, or when the stream is cut."""
        waiting = [asyncio.ensure_future(each.wait()) for each in (self._bell, cut)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()

    def answered(self, message: Json, *, is_known: bool) -> Response:
        """The answer to a message that was taken, unless it is lost on the way."""
        if self.loses_answers > 0:
            self.loses_answers -= 1
            raise ConnectionResetError
        return JSONResponse(message, 200 if is_known else 201)


def application(routes: Sequence[BaseRoute]) -> Starlette:
    """The API and the pages."""
    app = Starlette(routes=routes)
    answer_with_problems(app)  # type: ignore[arg-type]  # The handlers fit any Starlette.
    return app


def replay(body: bytes, receive: Callable[[], Any]) -> Any:
    """A request's body, to be read once more."""
    given = False

    async def replaying() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replaying


def problem(status: int, code: str, headers: dict[str, str] | None = None) -> Response:
    """A refusal as the API tells it."""
    content = {"type": f"urn:rondo:error:{code}", "title": code, "status": status, "detail": code}
    given = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
    return JSONResponse(content, status, given)


def frame(cursor: int, type_: str, conversation_id: str | None, data: Json) -> str:
    """An event as a stream has it."""
    event = {
        "id": f"evt_{cursor}",
        "type": type_,
        "conversation_id": conversation_id,
        "occurred_at": now(),
        "data": data,
    }
    return f"id: {cursor}\nevent: {type_}\ndata: {json.dumps(event)}\n\n"


def now(after_s: float = 0) -> str:
    """The time, or that in so many seconds."""
    return (datetime.now(UTC) + timedelta(seconds=after_s)).isoformat()


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The application on a free port of loopback; its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving
