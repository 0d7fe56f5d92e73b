"""The page of settings: every variable that a process reads, from the settings classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from rondo_gateway.settings import GatewaySettings
from rondo_history.live_metrics.settings import LiveMetricsSettings
from rondo_history.settings import HistorySettings
from rondo_notifier.settings import NotifierSettings
from rondo_router.settings import RouterSettings

SERVICES: Mapping[str, type[BaseSettings]] = {
    "gateway": GatewaySettings,
    "router": RouterSettings,
    "notifier": NotifierSettings,
    "history": HistorySettings,
    "live-metrics": LiveMetricsSettings,
}
"""Every service with its settings."""

PLACE = "<!-- settings -->\n"
UNITS = {"_ms": "ms", "_s": "s", "_bytes": "bytes"}
HEAD = "| setting | type | default | says | read by |\n| --- | --- | --- | --- | --- |\n"


def settings_markdown(template: Path) -> str:
    """The page: ``template`` with the table in its place. Deterministic."""
    note = "<!-- Written by `make generate`; the text is in docs/generators/settings.md. -->\n"
    return note + template.read_text(encoding="utf-8").replace(PLACE, HEAD + "".join(_rows()))


def variables() -> dict[str, tuple[FieldInfo, list[str]]]:
    """Every variable, with its declaration and who reads it; the required ones first, then by name."""
    found: dict[str, tuple[FieldInfo, list[str]]] = {}
    for service, settings in SERVICES.items():
        for name, field in settings.model_fields.items():
            variable = f"{settings.model_config['env_prefix']}{name}".upper()
            found.setdefault(variable, (field, []))[1].append(service)
    return dict(sorted(found.items(), key=lambda item: (not item[1][0].is_required(), item[0])))


def _rows() -> Iterable[str]:
    for variable, (field, services) in variables().items():
        says = field.description or ""
        readers = "all" if len(services) == len(SERVICES) else ", ".join(services)
        cells = (f"`{variable}`", _type(variable, field), _default(field), says, readers)
        yield f"| {' | '.join(cells)} |\n"


def _type(variable: str, field: FieldInfo) -> str:
    words = _words(field.annotation)
    words += _limits(field.metadata)
    unit = next((unit for end, unit in UNITS.items() if variable.lower().endswith(end)), None)
    return words if unit is None else f"{words}, in {unit}"


def _words(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    if annotation in {str, SecretStr}:
        return "text"
    options = [each for each in get_args(annotation) if each is not NoneType]
    if options:
        return " or ".join(_words(each) for each in options)
    plain = {int: "whole number", float: "number", bool: "`true` or `false`"}
    return plain.get(annotation, str(annotation))


def _limits(metadata: Iterable[Any]) -> str:
    """What a value must keep to, as far as the settings bound any."""
    limits = {type(each).__name__: each for each in metadata}
    if "MinLen" in limits:
        return f", at least {limits['MinLen'].min_length} characters"
    if "Le" in limits:
        return f", {_figure(limits['Ge'].ge)} to {_figure(limits['Le'].le)}"
    return f", at least {_figure(limits['Ge'].ge)}" if "Ge" in limits else ""


def _figure(number: int) -> str:
    return f"{number:,}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    default = field.get_default(call_default_factory=False)
    if default is None:
        return "not set"
    return _figure(default) if type(default) is int else f"`{default}`"
