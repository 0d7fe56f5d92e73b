"""A process that is told to stop says so, and lets callers go, before it stops to listen."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from rondo_common.errors import Retryable
from rondo_common.leaving import ConnectionsEnd, Leaving
from rondo_common.tasks import end_tasks

DEADLINE_S = 60.0


async def test_it_is_not_ready_any_more_for_a_while_before_it_stops() -> None:
    leaving, told, stop = Leaving(), asyncio.Event(), asyncio.Event()
    await leaving.check()
    lead = asyncio.create_task(leaving.lead(told, stop, drain_s=0.01))
    told.set()
    async with asyncio.timeout(DEADLINE_S):
        while not leaving.has_begun:
            await asyncio.sleep(0)
        assert not stop.is_set()
        with pytest.raises(Retryable, match="turn to another"):
            await leaving.check()
        await stop.wait()
    await end_tasks([lead])


async def test_every_answer_is_then_the_last_of_its_connection() -> None:
    leaving = Leaving()

    async def greet(request: Request) -> PlainTextResponse:
        if "stop" in request.query_params:  # Told to stop while the request is under way.
            leaving.has_begun = True
        return PlainTextResponse("hello")

    app = ConnectionsEnd(Starlette(routes=[Route("/", greet)]), leaving)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://rondo") as http:
        answers = [(await http.get(path)).headers.get("connection") for path in ("/", "/?stop", "/")]
    assert answers == [None, "close", "close"]
