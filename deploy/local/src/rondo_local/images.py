"""The images of the services, built with whichever of docker, podman and buildah is there."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rondo_local.failures import CannotRun, StepFailed
from rondo_local.servers import Say
from rondo_local.services import SERVICES

ENGINES = ("docker", "podman", "buildah")
DOCKERFILE = "deploy/images/Dockerfile"
PREFIX = "rondo"
ENGINE_ANSWER_S = 15
NETWORK_VARIABLE = "IMAGES_NETWORK"


def engine_answers(engine: str) -> bool:
    """Whether an engine is installed, and its daemon there if it has one."""
    if shutil.which(engine) is None:
        return False
    command = [engine, "--version"] if engine == "buildah" else [engine, "info"]
    try:
        run = subprocess.run(command, capture_output=True, check=False, timeout=ENGINE_ANSWER_S)
    except subprocess.TimeoutExpired:
        return False
    return run.returncode == 0


@dataclass(frozen=True)
class Images:
    """The images of one checkout. ``say`` is told what happens; ``answers`` tries an engine."""

    checkout: Path
    environ: Mapping[str, str]
    say: Say
    answers: Callable[[str], bool]

    @classmethod
    def of_checkout(cls, environ: Mapping[str, str], say: Say) -> Images:
        """Those of the checkout that this package is installed from. Raises CannotRun without one."""
        checkout = Path(__file__).resolve().parents[4]
        if not (checkout / DOCKERFILE).exists():
            raise CannotRun("rondo_local is not installed from a checkout: run `make setup` in one")
        return cls(checkout, environ, say, engine_answers)

    def build(self) -> None:
        """Build one image after the other. Raises CannotRun, or StepFailed with the image's name."""
        for service, command in self.commands().items():
            self.say("images", f"building {self.name(service)}")
            if subprocess.run(command, cwd=self.checkout, check=False).returncode != 0:
                raise StepFailed(f"{self.name(service)} was not built: the lines above say why")

    def commands(self) -> dict[str, Sequence[str]]:
        """The command that builds each service's image. Raises CannotRun."""
        engine = self._engine()
        return {service.name: self._command(engine, service.name) for service in SERVICES}

    def name(self, service: str) -> str:
        """What the image of a service is called."""
        prefix = self.environ.get("IMAGES") or PREFIX
        return f"{prefix}-{service}:{self.environ.get('TAG') or self._version()}"

    def _engine(self) -> str:
        wanted = self.environ.get("ENGINE")
        if wanted and wanted not in ENGINES:
            raise CannotRun(f"ENGINE={wanted!r} is none of {', '.join(ENGINES)}")
        for engine in [wanted] if wanted else ENGINES:
            if self.answers(engine):
                return engine
        missing = wanted or f"none of {', '.join(ENGINES)}"
        raise CannotRun(f"{missing} answers: install one of them, or start its daemon")

    def _command(self, engine: str, service: str) -> Sequence[str]:
        arguments = {"BASE": self.environ.get("BASE"), "REVISION": self.environ.get("REVISION")}
        arguments["VERSION"] = self.environ.get("TAG") or self._version()
        given = [f"--build-arg={name}={value}" for name, value in arguments.items() if value]
        network = self.environ.get(NETWORK_VARIABLE)
        given += [f"--network={network}"] if network else []
        # Docker's metadata, which podman and buildah know too, keeps STOPSIGNAL and labels alike.
        formats = [] if engine == "docker" else ["--format=docker", "--layers"]
        names = [f"--target={service}", f"--tag={self.name(service)}", f"--file={DOCKERFILE}"]
        return [engine, "build", *formats, *names, *given, "."]

    def _version(self) -> str:
        for line in (self.checkout / "pyproject.toml").read_text(encoding="utf-8").splitlines():
            if line.startswith("version = "):
                return line.split('"')[1]
        raise CannotRun("pyproject.toml of the checkout names no version: set TAG")
