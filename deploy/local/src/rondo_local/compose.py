"""All of Rondo with `docker compose`: the keys are drawn once, into a file that only their owner reads."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rondo_local.env_file import read_env, rendered
from rondo_local.failures import CannotRun, StepFailed

COMPOSE_FILE = "deploy/compose/compose.yaml"
READY_TIMEOUT_S = 600
KEY_BYTES = 32
KEYS = ("RONDO_ROOT_KEY", "RONDO_TOKEN_SECRET", "POSTGRES_PASSWORD")


@dataclass(frozen=True)
class Compose:
    """The composed installation of one checkout."""

    checkout: Path
    environ: Mapping[str, str]

    @classmethod
    def of_checkout(cls, environ: Mapping[str, str]) -> Compose:
        """That of the checkout that this package is installed from. Raises CannotRun without one."""
        checkout = Path(__file__).resolve().parents[4]
        if not (checkout / COMPOSE_FILE).exists():
            raise CannotRun("rondo_local is not installed from a checkout: run `make setup` in one")
        return cls(checkout, environ)

    @property
    def keys_file(self) -> Path:
        """Where the keys are, as a shell can source them."""
        return self.checkout / ".local/compose.env"

    def up(self) -> None:
        """Start what is down, and return when all of it is healthy. Raises StepFailed."""
        self._compose("up", "--detach", "--wait", f"--wait-timeout={READY_TIMEOUT_S}")

    def down(self) -> None:
        """Stop everything; the data and the keys stay. Raises StepFailed."""
        self._compose("down")

    def keys(self) -> dict[str, str]:
        """The keys of this installation: those of the environment, else those once drawn."""
        kept = read_env(self.keys_file) if self.keys_file.exists() else {}
        keys = {
            name: self.environ.get(name) or kept.get(name) or secrets.token_hex(KEY_BYTES) for name in KEYS
        }
        if keys != kept:
            self.keys_file.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(
                os.open(self.keys_file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w"
            ) as file:
                file.write(rendered(keys))
        return keys

    def _compose(self, *words: str) -> None:
        command = ["docker", "compose", "--file", COMPOSE_FILE, *words]
        try:
            run = subprocess.run(
                command, cwd=self.checkout, env={**self.environ, **self.keys()}, check=False
            )
        except FileNotFoundError:
            raise CannotRun("docker is not installed: install it with its compose plugin") from None
        if run.returncode != 0:
            raise StepFailed(f"`docker compose {words[0]}` failed: the lines above say why")
