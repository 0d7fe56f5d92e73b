"""Every setting that is a secret is one to pydantic too, and no class of settings ever shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pkgutil import walk_packages
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

import rondo_common
import rondo_gateway
import rondo_history
import rondo_notifier
import rondo_router
from rondo_common.service import read_settings

PACKAGES = (rondo_common, rondo_gateway, rondo_history, rondo_notifier, rondo_router)
SOUNDS_SECRET = re.compile(r"secret|password|passphrase|credential|token|dsn|(^|_)key$|(redis|smtp)_url")
NO_SECRET = {"kafka_key_file", "redis_key_file"}
"""Says where a secret is."""
LEAKS = "LeAks-0123456789"


def _classes() -> Iterator[type[BaseSettings]]:
    """All in modules that are called settings."""
    seen = set()
    for package in PACKAGES:
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith(".settings"):
                found = vars(import_module(module.name)).values()
                seen |= {
                    each for each in found if isinstance(each, type) and issubclass(each, BaseSettings)
                }
    yield from sorted(seen - {BaseSettings}, key=lambda each: f"{each.__module__}.{each.__name__}")


CLASSES = list(_classes())
each_class = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)


def _is_secret(annotation: object) -> bool:
    if get_origin(annotation) in {Union, UnionType}:
        return any(_is_secret(each) for each in get_args(annotation))
    return annotation is SecretStr


def _secrets_of(kind: type[BaseSettings]) -> list[str]:
    return [name for name, field in kind.model_fields.items() if _is_secret(field.annotation)]


def test_the_classes_are_found() -> None:
    assert {
        "GatewaySettings",
        "HistorySettings",
        "MigrateSettings",
        "NotifierSettings",
        "RouterSettings",
    } <= {kind.__name__ for kind in CLASSES}


@each_class
def test_what_sounds_like_a_secret_is_one(kind: type[BaseSettings]) -> None:
    sounds = [name for name in kind.model_fields if SOUNDS_SECRET.search(name) and name not in NO_SECRET]
    assert [name for name in sounds if name not in _secrets_of(kind)] == []


@each_class
def test_what_is_secret_is_not_shown(kind: type[BaseSettings]) -> None:
    values: dict[str, Any] = dict.fromkeys(_secrets_of(kind), SecretStr(LEAKS))
    made = kind.model_construct(None, **values)
    shown = f"{made!r} {made} {made.model_dump()} {list(made)} {vars(made)}"
    if values:
        assert "**********" in shown
    assert LEAKS not in shown + made.model_dump_json(fallback=str)


@each_class
def test_settings_that_are_refused_do_not_show_their_secrets(
    kind: type[BaseSettings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Each is none, or too short, or the rest is missing; parts of it may look like a port.
    for value in (
        LEAKS,
        f"smtp://me:{LEAKS}/x@mail",
        f"postgresql://me:{LEAKS}?x@db",
        f"redis://me:{LEAKS}#@db",
    ):
        for name in _secrets_of(kind):
            monkeypatch.setenv(f"RONDO_{name.upper()}", value)
        monkeypatch.setenv("RONDO_HTTP_PORT", "no port")
        monkeypatch.setenv("RONDO_SESSION_TIMEOUT_MS", "none")
        try:
            kind()
        except ValidationError as error:
            assert LEAKS not in f"{error!r} {error}"
        with suppress(SystemExit):
            read_settings(kind)
    told = capsys.readouterr()
    assert LEAKS not in told.out + told.err
