"""How long requests take, by the template of their route."""

from __future__ import annotations

import time
from collections.abc import Iterable
from http import HTTPStatus

from prometheus_client import Histogram
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rondo_common.meter import Meter
from rondo_common.metrics import REQUEST_DURATION

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "none"


def template_of(scope: Scope) -> str:
    """The template of the route that took the request, once it was taken: never what was in its place."""
    route = scope.get("route") or _route_with(scope.get("endpoint"), scope)
    return getattr(route, "path", NO_ROUTE)


def _route_with(endpoint: object, scope: Scope) -> BaseRoute | None:
    """Starlette's own routes say only what they called."""
    if endpoint is None:
        return None
    routes: Iterable[BaseRoute] = scope["app"].routes if "app" in scope else ()
    return next((each for each in routes if _called(each) is endpoint), None)


def _called(route: BaseRoute) -> object:
    return getattr(route, "endpoint", None) or getattr(route, "app", None)


class RequestDurations:
    """ASGI middleware: observes each HTTP request when its answer begins."""

    def __init__(self, app: ASGIApp, durations: Histogram) -> None:
        self._app = app
        self._durations = durations
        self._known: dict[tuple[str, str, int], Histogram] = {}
        """Finding an instrument by its labels costs more than observing with it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note when its answer begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._observe(scope, message["status"], time.perf_counter() - began)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:  # It is answered, and logged, outside of this.
            self._observe(scope, HTTPStatus.INTERNAL_SERVER_ERROR, time.perf_counter() - began)
            raise

    def _observe(self, scope: Scope, status: int, duration_s: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        labels = (method, template_of(scope), status // 100)
        known = self._known.get(labels)
        if known is None:
            known = self._durations.labels(method, labels[1], f"{labels[2]}xx")
            self._known[labels] = known
        known.observe(duration_s)


def request_durations(meter: Meter) -> Histogram:
    """The instrument that :class:`RequestDurations` observes with."""
    return meter.histogram(REQUEST_DURATION)
