"""The chart at a real API server: `make kube-check`. It is not part of `make check`, which needs none.

What is applied is applied at the server, strictly, with the operators' CRDs in place and the namespace
holding to the *restricted* pod security standard.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from tests.deploy.api_server import ApiServer, NoApiServer, api_server
from tests.deploy.helm_process import NAMESPACE, lifecycle, uninstall
from tests.deploy.kubernetes_schemas import CRDS
from tests.deploy.value_sets import NAMES, Resource, of_kind, value_set

ESTABLISHED_TIMEOUT_S = 60.0
POD_SECURITY = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """The API server with the operators' CRDs, and the namespaces that the value sets name."""
    try:
        with api_server(tmp_path_factory.mktemp("api-server")) as running:
            _define(running)
            for name in (NAMESPACE, "kafka"):
                metadata = {"name": name, "labels": POD_SECURITY}
                namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
                assert running.apply(namespace, dry_run=False) == ""
            yield running
    except NoApiServer as error:
        pytest.exit(str(error), returncode=1)


def _define(server: ApiServer) -> None:
    for file in sorted(CRDS.glob("*.yaml")):
        crd = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert server.apply(crd, dry_run=False) == "", file.name
        root = f"/apis/{crd['spec']['group']}/{crd['spec']['versions'][-1]['name']}"
        deadline = time.monotonic() + ESTABLISHED_TIMEOUT_S
        while crd["spec"]["names"]["plural"] not in server.client.get(root).text:
            assert time.monotonic() < deadline, f"{file.name} is not established"
            time.sleep(0.2)


@pytest.mark.parametrize("name", NAMES)
def test_the_server_takes_every_resource(
    server: ApiServer, rendered: dict[str, list[Resource]], name: str
) -> None:
    told = {
        f"{each['kind']}/{each['metadata']['name']}": refused
        for each in rendered[name]
        if (refused := server.apply(each, dry_run=True))
    }
    assert told == {}


@pytest.mark.parametrize("name", NAMES)
def test_every_pod_is_let_into_a_restricted_namespace(
    server: ApiServer, rendered: dict[str, list[Resource]], name: str
) -> None:
    for kind in ("Deployment", "Job"):
        for owner, resource in of_kind(rendered[name], kind).items():
            spec = {**resource["spec"]["template"]["spec"]}
            spec.pop("priorityClassName", None)  # There is none here.
            pod = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": owner, "namespace": NAMESPACE},
                "spec": spec,
            }
            assert server.apply(pod, dry_run=True) == "", owner


def test_the_server_would_have_refused_a_pod_that_runs_as_root(server: ApiServer) -> None:
    container = {"name": "c", "image": "c:1", "securityContext": {"runAsUser": 0}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root", "namespace": NAMESPACE},
        "spec": {"containers": [container]},
    }
    assert "violates PodSecurity" in server.apply(pod, dry_run=True)


@pytest.mark.parametrize("name", ["keda", "hpa"])
def test_a_release_is_installed_upgraded_rolled_back_and_removed(
    server: ApiServer, in_helm: Callable[..., Any], name: str
) -> None:
    # Hooks are Jobs, and there is no node to run them.
    before = value_set(name)
    before["postgres"] = {**before["postgres"], "migrate": {"enabled": False}}
    after = {**before, "image": {**before.get("image", {}), "tag": "2.0.0"}}
    first, second, third = in_helm(lifecycle, server.kubeconfig(), before, after)
    assert "2.0.0" in second
    assert third == first
    installed = [each for each in yaml.safe_load_all(first) if each]
    assert all(server.exists(each) for each in installed)
    in_helm(uninstall, server.kubeconfig())
    left = {each["kind"] for each in installed if server.exists(each)}
    assert left == ({"KafkaTopic"} if name == "keda" else set())
