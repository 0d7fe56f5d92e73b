"""Chat hooks are secrets: they are shown in part, and what was shown can be given back unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import urlsplit

from rondo_common.directory.entries import AlertSettings

FINGERPRINT_LENGTH = 8


def masked(url: str) -> str:
    """What may be shown of a hook: its host, and a fingerprint to tell it from others."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/~{sha256(url.encode()).hexdigest()[:FINGERPRINT_LENGTH]}"


def masked_settings(settings: AlertSettings) -> AlertSettings:
    """The settings as they may be shown."""
    return settings.model_copy(update={"chat_hooks": tuple(masked(each) for each in settings.chat_hooks)})


def unmasked_settings(given: AlertSettings, known: Sequence[str]) -> AlertSettings:
    """The settings that are meant: a hook given as it was shown is the known one."""
    by_mask = {masked(each): each for each in known}
    hooks = (by_mask.get(each, each) for each in given.chat_hooks)
    return given.model_copy(update={"chat_hooks": tuple(dict.fromkeys(hooks))})
