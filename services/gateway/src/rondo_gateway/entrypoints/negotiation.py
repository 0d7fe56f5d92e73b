"""Which representation a caller wants, from the ``Accept`` header."""

from __future__ import annotations


def prefers_text(accept: str) -> bool:
    """Whether ``text/plain`` is wanted rather than JSON. JSON is what one gets without a wish."""
    qualities = dict(map(_range, accept.split(",")))
    text = _quality(qualities, "text")
    return text > _quality(qualities, "application")


def _quality(qualities: dict[str, float], kind: str) -> float:
    exact = {"text": "text/plain", "application": "application/json"}[kind]
    for media_range in (exact, f"{kind}/*", "*/*"):
        if media_range in qualities:
            return qualities[media_range]
    return 0.0


def _range(text: str) -> tuple[str, float]:
    media_range, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return media_range, float(parameter.removeprefix("q="))
            except ValueError:
                break
    return media_range, 1.0
