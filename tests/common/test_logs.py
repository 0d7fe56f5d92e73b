"""Logs say what happened, and never what must stay secret."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator

import pytest
import structlog

from rondo_common.logs import configure_logs


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def _fail_with(api_key: str) -> None:
    raise ValueError(f"a defect met a key of {len(api_key)} characters")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_where_but_no_values(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(
        log_format="json" if log_format == "json" else "console",
        level="info",
        service="test",
        instance="test-1",
    )
    secret = f"rk_{uuid.uuid4().hex}"
    try:
        _fail_with(secret)
    except ValueError:
        structlog.get_logger("tests").exception("it_failed", path="/v1/agents")
    shown = capsys.readouterr().err
    assert "_fail_with" in shown
    assert "a defect met a key" in shown
    assert secret not in shown


def test_a_line_of_json_names_the_service_the_event_and_the_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs(log_format="json", level="info", service="router", instance="router-2")
    structlog.get_logger("tests").info("partitions_assigned", count=4)
    line = json.loads(capsys.readouterr().err)
    assert (line["service"], line["instance"]) == ("router", "router-2")
    assert (line["event"], line["count"], line["level"]) == ("partitions_assigned", 4, "info")
    assert line["timestamp"].endswith("Z")
