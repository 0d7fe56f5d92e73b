"""What the stack remembers between `down` and `up`."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rondo_local.failures import CannotRun, PortMoved, StateUnreadable

SECRET_BYTES = 48
SECURE_VARIABLE = "SECURE"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def fresh_vapid_key() -> str:
    """A private key of the curve P-256, as 32 bytes in base64url: any number below the curve's order."""
    number = 1 + secrets.randbelow(P256_ORDER - 1)
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")


class State(BaseModel):
    """The contents of `state.json`: ports by process, the number of Kafka nodes, secrets, the demo
    workspace's key.

    Whether the stack is secure, too: its passwords are derived from `password_seed`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    ports: dict[str, int] = Field(default_factory=dict)
    brokers: int = 1
    root_key: str = Field(repr=False)
    token_secret: str = Field(repr=False)
    vapid_private_key: str = Field(default_factory=fresh_vapid_key, repr=False)
    password_seed: str = Field(default_factory=lambda: secrets.token_urlsafe(SECRET_BYTES), repr=False)
    secure: bool = False
    demo_api_key: str | None = Field(default=None, repr=False)

    @classmethod
    def fresh(cls, *, brokers: int = 1) -> State:
        """A state with new secrets and no port chosen yet."""
        return cls(
            brokers=brokers,
            root_key=secrets.token_urlsafe(SECRET_BYTES),
            token_secret=secrets.token_urlsafe(SECRET_BYTES),
        )

    def with_secrets_of(self, environ: Mapping[str, str], *, anything_runs: bool) -> State:
        """This state with the secrets the caller set, if any.

        Raises PortMoved when they differ from those that a running stack uses.
        """
        given = {
            field: environ[variable]
            for field, variable in _SECRET_VARIABLES.items()
            if environ.get(variable) and environ[variable] != getattr(self, field)
        }
        if given and anything_runs:
            names = ", ".join(sorted(_SECRET_VARIABLES[field] for field in given))
            raise PortMoved(f"{names} differs from what the running stack uses: run `make down` first")
        return self.model_copy(update=given)

    def as_secure_as(self, environ: Mapping[str, str], *, anything_runs: bool) -> State:
        """This state, secure or not as the caller says, or as it is if they say nothing.

        Raises CannotRun for a word that says neither, PortMoved when the stack runs the other way.
        """
        said = environ.get(SECURE_VARIABLE, "")
        if said not in {"", "0", "1"}:
            raise CannotRun(f"{SECURE_VARIABLE}={said!r} says nothing: set 1 or 0")
        secure = self.secure if said == "" else said == "1"
        if secure != self.secure and anything_runs:
            runs = "secure" if self.secure else "without security"
            raise PortMoved(f"{SECURE_VARIABLE}={said}, and the stack runs {runs}: run `make down` first")
        return self.model_copy(update={"secure": secure})


_SECRET_VARIABLES = {
    "root_key": "RONDO_ROOT_KEY",
    "token_secret": "RONDO_TOKEN_SECRET",
    "vapid_private_key": "RONDO_VAPID_PRIVATE_KEY",
}


def load(file: Path) -> State | None:
    """The remembered state, or None when there is none yet. Raises StateUnreadable."""
    try:
        return State.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise StateUnreadable(f"{file} is damaged: run `make clean`, then `make up`") from error


def save(state: State, file: Path) -> None:
    """Write the state whole or not at all, readable by its owner alone."""
    write_privately(file, state.model_dump_json(indent=2) + "\n")


def write_privately(file: Path, text: str) -> None:
    """Replace `file` at once by one of mode 600 with this text."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    fresh.replace(file)
