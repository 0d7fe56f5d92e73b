"""Health over HTTP: ``/healthz`` (alive) and ``/readyz`` (can do its work), for probes and people."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse

from rondo_common.errors import RondoError
from rondo_common.traces import FASTAPI_TELEMETRY

CHECK_TIMEOUT_S = 2.0

Check = Callable[[], Awaitable[None]]
"""Returns when a dependency is fine; raises a :class:`RondoError` that says what is not."""


def health_routes(
    *,
    is_alive: Callable[[], bool],
    checks: Mapping[str, Check],
    details: Callable[[], Mapping[str, Any]] = dict,
) -> APIRouter:
    """The two routes. ``details`` adds what an operator wants to see, such as blocked partitions."""
    routes = APIRouter(tags=["operations"])

    @routes.get("/healthz", summary="Is this process alive?")
    async def healthz() -> JSONResponse:
        alive = is_alive()
        status = HTTPStatus.OK if alive else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"alive": alive, **details()}, status_code=status)

    @routes.get("/readyz", summary="Can this process do its work?")
    async def readyz() -> JSONResponse:
        results = dict(zip(checks, await asyncio.gather(*map(_result, checks.values())), strict=True))
        ready = is_alive() and all(result == "ok" for result in results.values())
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"ready": ready, "checks": results, **details()}, status_code=status)

    return routes


def health_app(routes: APIRouter, *, title: str) -> FastAPI:
    """An application with nothing but health, for processes that have no other HTTP."""
    app = FastAPI(title=title, openapi_url=None, docs_url=None, redoc_url=None, telemetry=FASTAPI_TELEMETRY)
    app.include_router(routes)
    return app


async def _result(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check()
    except TimeoutError:
        return "no answer in time"
    except RondoError as error:
        return str(error)
    return "ok"
