"""Which representation a caller wants, from the ``Accept`` header."""

from __future__ import annotations


def prefers_text(accept: str) -> bool:
    """Whether ``text/plain`` is wanted rather than JSON. JSON is what one gets without a wish."""
    return _prefers("text/plain", accept)


def prefers_csv(accept: str) -> bool:
    """Whether ``text/csv`` is wanted rather than JSON."""
    return _prefers("text/csv", accept)


def _prefers(media_type: str, accept: str) -> bool:
    qualities = dict(map(_range, accept.split(",")))
    return _quality(qualities, media_type) > _quality(qualities, "application/json")


def _quality(qualities: dict[str, float], media_type: str) -> float:
    kind, _, _ = media_type.partition("/")
    for media_range in (media_type, f"{kind}/*", "*/*"):
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
