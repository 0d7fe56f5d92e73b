"""Answers to commands: what the router says to whoever waits for its decision."""

from __future__ import annotations

from rondo_common.conversation import Value
from rondo_common.route_preview import RoutePreview

ANSWER_KEPT_S = 60


class Answer(Value):
    """The decision on one command. ``refusal`` is None when it was (or already had been) done.

    Otherwise it is the stable code of the refusal, such as ``offer-expired``; the router has the list of
    them (``REFUSALS`` in its ``outcome.py``).
    """

    refusal: str | None = None
    detail: str | None = None
    preview: RoutePreview | None = None
    """What a :class:`~rondo_common.events.PlanRoute` asked for."""
