"""Looking for secrets where there must be none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

LENGTH_MIN = 8
"""A shorter secret would be found by chance."""


def leaks(secrets: Mapping[str, str], places: Mapping[str, bytes]) -> list[str]:
    """Which secrets stand where, as ``what in place``: as they are, or as URLs and JSON write them."""
    found = []
    for what, secret in secrets.items():
        assert len(secret) >= LENGTH_MIN, what
        for place, content in places.items():
            text = content.lower()
            if any(form.lower().encode() in text for form in _forms(secret)):
                found.append(f"{what} in {place}")
    return found


def _forms(secret: str) -> Iterable[str]:
    return {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
