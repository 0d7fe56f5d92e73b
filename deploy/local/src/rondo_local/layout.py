"""Where the stack keeps what: one directory, `.local` of the checkout by default."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from rondo_local.failures import CannotRun, DiskFull

FREE_MIB_MIN = 512
"""Free space that `up` asks for: Kafka's log segments and indexes need most of it."""


@dataclass(frozen=True)
class Layout:
    """The paths of one stack. `root` is its directory, `jars` the shared Kafka download."""

    root: Path
    jars: Path

    @classmethod
    def of_checkout(cls) -> Layout:
        """The layout under `.local` of the checkout this package is installed from.

        Raises CannotRun when the package was installed as a wheel, away from its checkout.
        """
        checkout = Path(__file__).resolve().parents[4]
        if not (checkout / "deploy" / "local" / "pyproject.toml").exists():
            raise CannotRun("rondo_local is not installed from a checkout: run `make setup` in one")
        return cls.under(checkout / ".local")

    @classmethod
    def under(cls, root: Path) -> Layout:
        """The layout with everything, the Kafka download too, under `root`."""
        return cls(root=root.resolve(), jars=root.resolve() / "kafka")

    @property
    def run(self) -> Path:
        """The directory of the pid files."""
        return self.root / "run"

    @property
    def data(self) -> Path:
        """The directory of the servers' data."""
        return self.root / "data"

    @property
    def logs(self) -> Path:
        """The directory of the logs."""
        return self.root / "log"

    @property
    def certificates(self) -> Path:
        """The directory of a secure stack's certificates and their keys."""
        return self.root / "certificates"

    @property
    def state_file(self) -> Path:
        """Ports, keys and ids that stay the same over `down` and `up`; mode 600."""
        return self.root / "state.json"

    @property
    def env_file(self) -> Path:
        """Addresses and keys for a shell to source; mode 600."""
        return self.root / "env"

    @property
    def lock_file(self) -> Path:
        """Held by the one command that changes the stack."""
        return self.root / "lock"

    def pid_file(self, name: str) -> Path:
        """The pid file of the process `name`."""
        return self.run / f"{name}.pid"

    def log_file(self, name: str) -> Path:
        """The log of the process or step `name`."""
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Make the directories and check that there is room.

        Raises DiskFull when less than FREE_MIB_MIN is free.
        """
        for directory in (self.run, self.data, self.logs, self.jars):
            directory.mkdir(parents=True, exist_ok=True)
        require_room(self.root, shutil.disk_usage(self.root).free)


def require_room(directory: Path, free_bytes: int) -> None:
    """Raise DiskFull when `free_bytes` are too few to run the stack in `directory`."""
    free_mib = free_bytes // 2**20
    if free_mib < FREE_MIB_MIN:
        raise DiskFull(
            f"the disk is full: {free_mib} MiB free at {directory}, {FREE_MIB_MIN} MiB needed: "
            "free some space, or set RONDO_LOCAL_DIR to a directory on another disk"
        )
