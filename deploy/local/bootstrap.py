"""Make a checkout ready to run: uv in `.local/uv`, then every package in `.venv`.

Standard library only, because it runs before anything is installed. A stamp records what was
installed, so that it does nothing when nothing has changed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

UV_VERSION = "0.13.9"
LOCK = "requirements.lock"
"""Every package from outside, pinned with its sums, for every platform."""

FREE_MIB_MIN = 1_000
"""Space that the packages, uv and its cache need."""

_PROGRESS_EVERY_S = 5.0
_LINE_CHARACTERS_MAX = 200

_UNREACHABLE = re.compile(
    r"failed to fetch|error sending request|dns error|connection (refused|reset|error)|"
    r"could not connect|name resolution|timed out|network is unreachable|proxyerror|"
    r"certificate|no matching distribution found|max retries exceeded",
    re.IGNORECASE,
)
_NO_SPACE = re.compile(r"no space left|disk quota exceeded|os error 28", re.IGNORECASE)
_NOT_BUILT = re.compile(r"failed (?:to build|building wheel for) [`']?([\w.-]+)", re.IGNORECASE)
_NO_COMPILER = re.compile(r"\b(gcc|clang|cc|c\+\+|rustc|cargo|compiler)\b|python\.h", re.IGNORECASE)
_NO_LOCK = re.compile(r"file not found: `?requirements\.lock", re.IGNORECASE)


class SetupFailure(Exception):
    """The checkout cannot be made ready: show the text, which says what to do, and exit 1."""


def main(checkout: Path) -> int:
    """Set the checkout up and return the exit status; a failure is one line on stderr."""
    try:
        set_up(checkout)
    except SetupFailure as failure:
        print(f"rondo: {failure}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"rondo: {diagnosis(str(error), checkout)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted: run the same command again to go on", file=sys.stderr)
        return 130
    return 0


def set_up(checkout: Path) -> None:
    """Install what is missing or has changed. Raises SetupFailure."""
    local = checkout / ".local"
    stamp = local / "setup.stamp"
    state = fingerprint(checkout)
    if (checkout / ".venv/bin/python").exists() and _read(stamp) == state:
        return
    (local / "log").mkdir(parents=True, exist_ok=True)
    free_mib = shutil.disk_usage(local).free // 2**20
    if free_mib < FREE_MIB_MIN:
        raise SetupFailure(
            f"the disk is full: {free_mib} MiB free at {local}, {FREE_MIB_MIN} MiB needed: "
            "free some space, then run the same command again"
        )
    log = local / "log" / "setup.log"
    log.unlink(missing_ok=True)
    uv = _uv(local / "uv", log)
    _sync(checkout, uv, log)
    stamp.write_text(state, encoding="utf-8")


def fingerprint(checkout: Path) -> str:
    """What the installation depends on: interpreter, uv, lock file, every package's metadata."""
    metadata = [folder / "pyproject.toml" for folder in members(checkout)]
    digest = hashlib.sha256(f"{UV_VERSION} {sys.version} {sys.executable}".encode())
    for file in (checkout / "pyproject.toml", checkout / LOCK, *metadata):
        digest.update(f"\n{file.relative_to(checkout)}\n".encode())
        digest.update(file.read_bytes() if file.exists() else b"missing")
    return digest.hexdigest()


def members(checkout: Path) -> list[Path]:
    """The folders of the workspace's packages."""
    root = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = root["tool"]["uv"]["workspace"]["members"]
    found = (file for each in patterns for file in checkout.glob(f"{each}/pyproject.toml"))
    return sorted(file.parent for file in found)


def lock(checkout: Path) -> int:
    """Write the lock file anew, keeping the versions that still fit; the exit status."""
    names = [f"rondo-{folder.name}" for folder in members(checkout)]
    command = [
        str(checkout / ".local/uv/bin/uv"), "pip", "compile", "pyproject.toml", "--group", "dev",
        "--universal", "--generate-hashes", "--quiet", "--no-header", "--output-file", LOCK,
        *(word for name in names for word in ("--no-emit-package", name)),
    ]  # fmt: skip
    return subprocess.run(command, cwd=checkout, check=False, stdout=subprocess.DEVNULL).returncode


def diagnosis(output: str, log: Path) -> str:
    """One line for what a failed command printed, ending with what to do."""
    if _NO_SPACE.search(output):
        return "the disk is full: free some space, then run the same command again"
    if _NO_LOCK.search(output):
        return f"{LOCK} is missing: restore it, or write it with `make lock`"
    built = _NOT_BUILT.search(output)
    if built and _NO_COMPILER.search(output):
        return (
            f"{built[1]} has no wheel for this Python and cannot be compiled: use Python 3.11 to "
            "3.13 (make PYTHON=python3.13), or install a compiler and Python's headers (Debian: "
            f"apt install build-essential python3-dev); see {log}"
        )
    if _UNREACHABLE.search(output):
        return (
            "the Python package registry is out of reach: check the network, HTTPS_PROXY and "
            f"SSL_CERT_FILE, then run the same command again; see {log}"
        )
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = lines[-1][:_LINE_CHARACTERS_MAX] if lines else "it printed nothing"
    return f"setup failed: see {log}; its last line: {last}"


def _uv(home: Path, log: Path) -> Path:
    uv = home / "bin" / "uv"
    if _version(uv) == UV_VERSION:
        return uv
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise SetupFailure(
            f"{sys.executable} has no venv module: install it (Debian: apt install python3-venv), "
            "or name another interpreter: make PYTHON=/path/to/python3"
        )
    _run("making room for uv", [sys.executable, "-m", "venv", "--clear", str(home)], log)
    pip = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    _run(f"installing uv {UV_VERSION}", [*pip, "install", f"uv=={UV_VERSION}"], log)
    return uv


def _version(uv: Path) -> str | None:
    try:
        shown = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return shown.stdout.split()[1] if shown.returncode == 0 else None


def _sync(checkout: Path, uv: Path, log: Path) -> None:
    environ = os.environ | {
        "VIRTUAL_ENV": str(checkout / ".venv"),
        "UV_PYTHON_DOWNLOADS": "never",
        # The services start several times in a session, and faster so.
        "UV_COMPILE_BYTECODE": "1",
    }
    own = [word for folder in members(checkout) for word in ("--editable", str(folder))]
    venv = ["venv", "--quiet", "--allow-existing", "--python", sys.executable, ".venv"]
    outside = ["pip", "sync", "--require-hashes", LOCK]
    inside = ["pip", "install", "--no-deps", *own]
    _run("making room for the packages", [str(uv), *venv], log, cwd=checkout, environ=environ)
    _run("installing the packages", [str(uv), *outside], log, cwd=checkout, environ=environ)
    _run("installing Rondo itself", [str(uv), *inside], log, cwd=checkout, environ=environ)


def _run(
    what: str,
    command: Sequence[str],
    log: Path,
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> None:
    began = time.monotonic()
    _tell(what)
    start = log.stat().st_size if log.exists() else 0
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(child, what, began)
        except BaseException:
            child.kill()
            child.wait()
            raise
    if child.returncode != 0:
        printed = log.read_bytes()[start:].decode(errors="replace")
        raise SetupFailure(diagnosis(printed, log))
    _tell(f"{what}: done ({time.monotonic() - began:.0f} s)")


def _wait(child: subprocess.Popen[bytes], what: str, began: float) -> None:
    while True:
        try:
            child.wait(_PROGRESS_EVERY_S)
        except subprocess.TimeoutExpired:
            _tell(f"{what}: {time.monotonic() - began:.0f} s so far")
        else:
            return


def _tell(line: str) -> None:
    print(f"{'setup':<14} {line}", flush=True)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    action = lock if sys.argv[1:] == ["lock"] else main
    sys.exit(action(Path(__file__).resolve().parents[2]))
