"""How events look on the wire of ``text/event-stream``, and what a reader asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from starlette.datastructures import Headers, QueryParams

from rondo_gateway.domain.cursors import Cursor, parse_cursor
from rondo_gateway.handlers.live_feed import Told

HEADERS: Mapping[str, str] = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # Proxies that know it pass events on at once.
}
HEARTBEAT = b": still here\n"
"""No empty line ends it: some clients would take that for an event."""


CHUNK_BYTES_MAX = 32 * 1024
"""A reader who is behind is sent so much at once, and an event more at most."""


def chunks(events: Iterable[Told]) -> Iterator[bytes]:
    """The frames of the events, in parts that a slow reader can take."""
    part = b""
    for event in events:
        part += frames([event])
        if len(part) >= CHUNK_BYTES_MAX:
            yield part
            part = b""
    if part:
        yield part


def frames(events: Iterable[Told]) -> bytes:
    """The events, one after the other. Their data is on one line already."""
    return "".join(
        f"{_id_of(event)}event: {event.type}\ndata: {event.data}\n\n" for event in events
    ).encode()


def _id_of(event: Told) -> str:
    """A reader goes on after the last event that has one."""
    return "" if event.cursor is None else f"id: {event.cursor}\n"


def retry(delay_ms: int) -> bytes:
    """How long a client waits before it comes back after a lost connection. Part of the next event."""
    return f"retry: {delay_ms}\n".encode()


def last_event_id(headers: Headers, query: QueryParams) -> Cursor | None:
    """Where the reader wants to go on; the header, which browsers set by themselves, comes first.

    Raises:
        ValueError: it is not an id of an event.
    """
    text = headers.get("last-event-id") or query.get("last_event_id")
    return parse_cursor(text) if text else None
