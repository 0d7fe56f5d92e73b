from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy.local.bootstrap import diagnosis, fingerprint

LOG = Path("/log/setup.log")


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        (
            "error: Failed to fetch: `x`\n  cause: error sending request for url",
            "the Python package registry is out of reach",
        ),
        (
            "WARNING: Retrying ... Connection reset\nERROR: No matching distribution found",
            "the Python package registry is out of reach",
        ),
        (
            "error: Failed to build `hiredis==3.5.0`\n  error: command 'gcc' failed: No such file",
            "hiredis has no wheel for this Python .* apt install build-essential python3-dev",
        ),
        ("error: failed to write: No space left on device (os error 28)", "the disk is full"),
        ("error: File not found: `requirements.lock`", "make lock"),
        ("error: Failed to build `ours @ file:///x`\n  cause: no README.md\n\n", "cause: no README"),
        ("", "printed nothing"),
    ],
)
def test_what_went_wrong_is_one_line_with_a_remedy(output: str, remedy: str) -> None:
    line = diagnosis(output, LOG)

    assert "\n" not in line
    assert re.search(remedy, line)


def test_the_fingerprint_changes_with_any_package_and_with_the_lock_file(tmp_path: Path) -> None:
    package = tmp_path / "services" / "router" / "pyproject.toml"
    package.parent.mkdir(parents=True)
    package.write_text("[project]")
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["services/*"]')
    seen = [fingerprint(tmp_path)]

    (tmp_path / "requirements.lock").write_text("locked")
    seen.append(fingerprint(tmp_path))
    package.write_text("[project]\n")
    seen.append(fingerprint(tmp_path))

    assert len(set(seen)) == 3
    assert fingerprint(tmp_path) == seen[-1]
