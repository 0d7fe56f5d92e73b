"""The notifier's use case: tell everybody whom an event concerns."""

from __future__ import annotations

from collections.abc import Sequence

from rondo_common.envelope import Envelope
from rondo_common.events import Event
from rondo_notifier.domain.recipients import deliveries_of
from rondo_notifier.ports import Mailboxes


async def tell_recipients(envelopes: Sequence[Envelope[Event]], mailboxes: Mailboxes) -> None:
    """Deliver what the events say, in their order. Raises ``Unavailable``; repeat it then."""
    deliveries = [delivery for envelope in envelopes for delivery in deliveries_of(envelope)]
    if deliveries:
        await mailboxes.deliver(deliveries)
