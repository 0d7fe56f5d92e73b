"""How a service starts, and what it says when it cannot."""

from __future__ import annotations

import pytest

from rondo_common.service import WRONG_SETTINGS, read_settings
from rondo_common.settings import ReaderSettings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RONDO_KAFKA_BOOTSTRAP", "127.0.0.1:9092")
    monkeypatch.setenv("RONDO_HTTP_PORT", "8080")
    settings = read_settings(ReaderSettings)
    assert (settings.kafka_bootstrap, settings.http_port) == ("127.0.0.1:9092", 8080)


def test_each_wrong_setting_is_one_line_that_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RONDO_KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.setenv("RONDO_HTTP_PORT", "eighty")
    with pytest.raises(SystemExit) as stopped:
        read_settings(ReaderSettings)
    assert stopped.value.code == WRONG_SETTINGS
    lines = capsys.readouterr().err.splitlines()
    assert sorted(line.split(":")[0] for line in lines) == ["RONDO_HTTP_PORT", "RONDO_KAFKA_BOOTSTRAP"]
