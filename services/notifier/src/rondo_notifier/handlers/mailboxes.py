"""Telling everybody whom an event concerns."""

from __future__ import annotations

from collections.abc import Sequence

from rondo_common.envelope import Envelope
from rondo_common.events import Event
from rondo_notifier.domain.recipients import deliveries_of, oblivion_of
from rondo_notifier.ports import Mailboxes

Logged = tuple[Envelope[Event], int]
"""An event, and its offset in its topic."""


async def tell_recipients(logged: Sequence[Logged], mailboxes: Mailboxes) -> None:
    """Deliver what the events say, and forget what was erased. Raises ``Unavailable``; repeat it then."""
    deliveries = [delivery for envelope, offset in logged for delivery in deliveries_of(envelope, offset)]
    if deliveries:
        await mailboxes.deliver(deliveries)
    # Nothing happens in a conversation after its erasure, so this may wait until all is delivered.
    for envelope, _ in logged:
        oblivion = oblivion_of(envelope)
        if oblivion is not None:
            await mailboxes.forget(oblivion)
