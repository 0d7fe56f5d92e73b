"""A real API server of Kubernetes, with etcd and nothing else: it takes resources in and runs none.

The programs are where ``KUBEBUILDER_ASSETS`` says, as the envtest convention has it.
"""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from rondo_local.ports import choose

ASSETS = "KUBEBUILDER_ASSETS"
PROGRAMS = ("etcd", "kube-apiserver")
READY_TIMEOUT_S = 120.0
READY_DELAY_S = 0.5
STOP_TIMEOUT_S = 30.0

REMEDY = f"""\
{ASSETS} must name a folder with etcd and kube-apiserver. One way to get them:
  go install sigs.k8s.io/controller-runtime/tools/setup-envtest@latest
  export {ASSETS}="$(setup-envtest use 1.35.x -p path)"
"""


class NoApiServer(Exception):
    """Get the programs as the text says, and set the variable."""


@dataclass(frozen=True)
class ApiServer:
    """The server: where it is, and how to be let in as an administrator."""

    url: str
    token: str
    client: httpx.Client

    def kubeconfig(self) -> str:
        """The same for Helm."""
        cluster = {"server": self.url, "insecure-skip-tls-verify": True}
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "check", "cluster": cluster}],
                "users": [{"name": "check", "user": {"token": self.token}}],
                "contexts": [{"name": "check", "context": {"cluster": "check", "user": "check"}}],
                "current-context": "check",
            }
        )

    def apply(self, resource: dict[str, Any], *, dry_run: bool) -> str:
        """Apply a resource at the server, strictly; why it was refused, or nothing."""
        metadata = resource["metadata"]
        path = f"{self._collection(resource)}/{metadata['name']}"
        query = {"fieldManager": "check", "fieldValidation": "Strict", "force": "true"}
        answer = self.client.patch(
            path,
            params=query | ({"dryRun": "All"} if dry_run else {}),
            content=yaml.safe_dump(resource),
            headers={"content-type": "application/apply-patch+yaml"},
        )
        told = [warning for warning in answer.headers.get_list("warning") if "PodSecurity" in warning]
        return "" if answer.is_success and not told else f"{answer.status_code} {answer.text} {told}"

    def exists(self, resource: dict[str, Any]) -> bool:
        """Whether the server has it."""
        path = f"{self._collection(resource)}/{resource['metadata']['name']}"
        return self.client.get(path).is_success

    def _collection(self, resource: dict[str, Any]) -> str:
        version = resource["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        listed = self.client.get(root).raise_for_status().json()["resources"]
        (kind,) = (r for r in listed if r["kind"] == resource["kind"] and "/" not in r["name"])
        within = f"/namespaces/{resource['metadata']['namespace']}" if kind["namespaced"] else ""
        return f"{root}{within}/{kind['name']}"


@contextmanager
def api_server(folder: Path) -> Iterator[ApiServer]:
    """Run one, with its data in ``folder``. Raises NoApiServer."""
    programs = _programs()
    chance = random.SystemRandom()
    ports: list[int] = []
    for _ in range(3):
        ports.append(choose(ports, chance))
    etcd_url = f"http://127.0.0.1:{ports[0]}"
    token = secrets.token_urlsafe(24)
    (folder / "tokens.csv").write_text(f'{token},check,check,"system:masters"\n', encoding="utf-8")
    key = _service_account_key(folder)
    etcd = [
        programs["etcd"],
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={etcd_url}",
        f"--advertise-client-urls={etcd_url}",
        f"--listen-peer-urls=http://127.0.0.1:{ports[1]}",
        "--unsafe-no-fsync",
    ]
    server = [
        programs["kube-apiserver"],
        f"--etcd-servers={etcd_url}",
        f"--cert-dir={folder / 'certificates'}",
        "--bind-address=127.0.0.1",
        f"--secure-port={ports[2]}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--service-account-issuer=https://check.invalid",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--disable-admission-plugins=ServiceAccount",
    ]
    url = f"https://127.0.0.1:{ports[2]}"
    headers = {"authorization": f"Bearer {token}"}
    with ExitStack() as running:
        running.enter_context(_process(etcd, folder / "etcd.log"))
        running.enter_context(_process(server, folder / "kube-apiserver.log"))
        # The certificate is one it has just made for itself.
        client = running.enter_context(
            httpx.Client(base_url=url, headers=headers, verify=False, timeout=60, trust_env=False)
        )
        _until_ready(client, folder / "kube-apiserver.log")
        yield ApiServer(url, token, client)


def _programs() -> dict[str, str]:
    folder = os.environ.get(ASSETS)
    found = {name: Path(folder, name) for name in PROGRAMS} if folder else {}
    if not found or not all(os.access(program, os.X_OK) for program in found.values()):
        raise NoApiServer(REMEDY)
    return {name: str(program) for name, program in found.items()}


def _service_account_key(folder: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    file = folder / "service-accounts.pem"
    file.write_bytes(text)
    return file


@contextmanager
def _process(command: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as child:
        try:
            yield
        finally:
            child.terminate()
            try:
                child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()


def _until_ready(client: httpx.Client, log: Path) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            if client.get("/readyz").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(READY_DELAY_S)
    last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-1:]
    raise NoApiServer(f"kube-apiserver was not ready: {log}: {last}")
