"""The log, measured: what callers were told is accepted."""

from __future__ import annotations

from rondo_common.envelope import Envelope
from rondo_common.events import ChatRequested, Event, MessagePosted
from rondo_common.meter import Meter
from rondo_common.metrics import CHAT_REQUESTS_TAKEN, MESSAGES_TAKEN
from rondo_gateway.ports import EventLog

ROUTES = ("round_robin", "agent", "custom_rules", "team")
AUTHORS = ("visitor", "agent", "system")


class MeteredEventLog:
    """An :class:`EventLog` that counts what it has confirmed."""

    def __init__(self, log: EventLog, meter: Meter) -> None:
        self._log = log
        self._requests = meter.counter(CHAT_REQUESTS_TAKEN, *((each,) for each in ROUTES))
        self._messages = meter.counter(MESSAGES_TAKEN, *((each,) for each in AUTHORS))

    async def publish(self, envelope: Envelope[Event]) -> int:
        """See :class:`EventLog`."""
        offset = await self._log.publish(envelope)
        match envelope.event:
            case ChatRequested() as event:
                self._requests.labels(event.request.route.type).inc()
            case MessagePosted() as event:
                self._messages.labels(event.message.author.type).inc()
        return offset
