from __future__ import annotations

import subprocess
from pathlib import Path

from rondo_local.env_file import read_env, rendered


def test_a_shell_reads_back_any_value(tmp_path: Path) -> None:
    value = 'it\'s $HOME `date` "x" \\ and\nmore'
    (tmp_path / "env").write_text(rendered({"RONDO_API_KEY": value}))

    shown = subprocess.run(
        ["sh", "-c", '. "$0"; printf %s "$RONDO_API_KEY"', tmp_path / "env"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stdout == value


def test_a_program_reads_back_what_was_written(tmp_path: Path) -> None:
    values = {"RONDO_URL": "http://127.0.0.1:1", "RONDO_API_KEY": 'it\'s = "odd"', "RONDO_X": ""}
    (tmp_path / "env").write_text(rendered(values))

    assert read_env(tmp_path / "env") == values
