"""What every installation keeps to, whatever its values: no privilege, no surprise, an orderly end."""

from __future__ import annotations

from typing import Any

import pytest

from docs.generators.chart import STOP_S, facts
from rondo_common.topics import TOPICS
from rondo_local.services import SERVICES
from tests.deploy.value_sets import Resource, of_kind, pods, variables

NAMES = [each.name for each in SERVICES]
UID = 10001


def _component(resource: Resource) -> str:
    return str(resource["metadata"]["labels"]["app.kubernetes.io/component"])


def _by_component(resources: list[Resource], kind: str) -> dict[str, Resource]:
    return {_component(each): each for each in of_kind(resources, kind).values()}


def _is_selected(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


def test_every_service_is_a_deployment(resources: list[Resource]) -> None:
    assert sorted(_by_component(resources, "Deployment")) == sorted(NAMES)


def test_pods_are_restricted(resources: list[Resource]) -> None:
    for pod in pods(resources).values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        (container,) = pod["containers"]
        security = container["securityContext"]
        assert security["runAsUser"] == security["runAsGroup"] == UID
        assert security["allowPrivilegeEscalation"] is False
        assert security["privileged"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert not [each for each in container.get("ports", []) if "hostPort" in each]
        assert not [each for each in pod["volumes"] if "hostPath" in each]


def test_no_pod_has_a_token(resources: list[Resource]) -> None:
    accounts = of_kind(resources, "ServiceAccount")
    for owner, pod in pods(resources).items():
        assert pod["automountServiceAccountToken"] is False, owner
        assert accounts[pod["serviceAccountName"]]["automountServiceAccountToken"] is False
    assert not {each["kind"] for each in resources} & {"Role", "ClusterRole", "RoleBinding"}


def test_images_have_a_version(resources: list[Resource]) -> None:
    for owner, pod in pods(resources).items():
        (container,) = pod["containers"]
        name = container["image"].rsplit("/", 1)[-1]
        assert ("@sha256:" in name) or (":" in name and not name.endswith(":latest")), owner


def test_what_a_container_may_take_is_bounded(resources: list[Resource]) -> None:
    for owner, pod in pods(resources).items():
        (container,) = pod["containers"]
        for of in ("requests", "limits"):
            assert {"cpu", "memory", "ephemeral-storage"} <= set(container["resources"][of]), owner
        assert all("sizeLimit" in each["emptyDir"] for each in pod["volumes"] if "emptyDir" in each)


def test_services_are_probed_where_they_answer(resources: list[Resource]) -> None:
    for name, deployment in _by_component(resources, "Deployment").items():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        paths = {probe: container[probe]["httpGet"]["path"] for probe in container if "Probe" in probe}
        once, always = ("/readyz", "/healthz") if name == "gateway" else ("/healthz", "/readyz")
        assert paths == {
            "startupProbe": once,
            "livenessProbe": "/healthz",
            "readinessProbe": always,
        }, name
        ports = {each["name"]: str(each["containerPort"]) for each in container["ports"]}
        given = variables(deployment["spec"]["template"]["spec"])
        assert given["RONDO_HTTP_PORT"]["value"] == ports["http"]
        assert given["RONDO_HTTP_HOST"]["value"] == "0.0.0.0"
        assert all(container[probe]["httpGet"]["port"] == "http" for probe in paths)


def test_the_grace_period_covers_a_services_own_deadlines(resources: list[Resource]) -> None:
    for name, deployment in _by_component(resources, "Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pod["terminationGracePeriodSeconds"] > pause + STOP_S[name]


def test_a_rollout_takes_nobody_away_before_another_is_ready(resources: list[Resource]) -> None:
    for deployment in of_kind(resources, "Deployment").values():
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_every_service_has_a_budget_and_spreads_over_nodes(resources: list[Resource]) -> None:
    budgets = _by_component(resources, "PodDisruptionBudget")
    for name, deployment in _by_component(resources, "Deployment").items():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        spec = budgets[name]["spec"]
        assert _is_selected(spec["selector"]["matchLabels"], labels)
        assert spec["maxUnavailable"] == 1
        spreads = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert spreads[0]["topologyKey"] == "kubernetes.io/hostname"
        assert all(_is_selected(each["labelSelector"]["matchLabels"], labels) for each in spreads)


def test_pods_that_are_being_replaced_push_no_successor_aside(resources: list[Resource]) -> None:
    # Counted as well, they would gather the whole of a new version on the nodes where the old was not.
    for deployment in of_kind(resources, "Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        terms = [*pod["topologySpreadConstraints"]]
        for each in pod["affinity"].get("podAntiAffinity", {}).values():
            terms += [one["podAffinityTerm"] for one in each]
        assert all(each["matchLabelKeys"] == ["pod-template-hash"] for each in terms)


def test_selectors_choose_their_own_pods_alone(resources: list[Resource]) -> None:
    deployments = _by_component(resources, "Deployment")
    for name, deployment in deployments.items():
        selector = deployment["spec"]["selector"]["matchLabels"]
        chosen = [
            other
            for other, each in deployments.items()
            if _is_selected(selector, each["spec"]["template"]["metadata"]["labels"])
        ]
        assert chosen == [name]


@pytest.mark.parametrize("values", ["least", "keda", "hpa"])
def test_network_policies_let_through_just_what_is_used(
    rendered: dict[str, list[Resource]], values: str
) -> None:
    policies = _by_component(rendered[values], "NetworkPolicy")
    assert set(NAMES) <= set(policies)
    has_mail = "smtp" if values == "keda" else None
    reached = {
        "gateway": {"dns", "kafka", "redis", "history", "internet" if values == "hpa" else None} - {None},
        "router": {"dns", "kafka", "redis"},
        "notifier": {"dns", "kafka", "redis", "internet", has_mail} - {None},
        "history": {"dns", "kafka", "postgres", has_mail} - {None},
        "live-metrics": {"dns", "kafka"},
    }
    callers = {"gateway": {"ingress-nginx" if values == "hpa" else "anybody"}, "history": {"gateway"}}
    for name, servers in reached.items():
        spec = policies[name]["spec"]
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        assert {_server(rule) for rule in spec["egress"]} - {"extra"} == servers, name
        let_in = {_caller(peer) for rule in spec["ingress"] for peer in rule.get("from", [{}])}
        assert let_in - {"monitoring"} == callers.get(name, set()), name


def test_public_addresses_are_all_that_the_notifier_reaches(rendered: dict[str, list[Resource]]) -> None:
    egress = _by_component(rendered["least"], "NetworkPolicy")["notifier"]["spec"]["egress"]
    (internet,) = (rule for rule in egress if _server(rule) == "internet")
    blocks = {each["ipBlock"]["cidr"]: each["ipBlock"]["except"] for each in internet["to"]}
    assert {"10.0.0.0/8", "169.254.0.0/16", "127.0.0.0/8"} <= set(blocks["0.0.0.0/0"])
    assert {"fc00::/7", "fe80::/10"} <= set(blocks["::/0"])


def _caller(peer: Resource) -> str:
    if not peer:
        return "anybody"
    selector = peer.get("podSelector") or peer["namespaceSelector"]
    labels: dict[str, str] = selector["matchLabels"]
    return labels.get("app.kubernetes.io/component") or labels["kubernetes.io/metadata.name"]


def _server(rule: dict[str, Any]) -> str:
    ports = {each["port"] for each in rule["ports"]}
    known = {
        53: "dns",
        9093: "kafka",
        6379: "redis",
        5432: "postgres",
        8080: "history",
        587: "smtp",
        443: "internet",
    }
    return next((name for port, name in known.items() if port in ports), "extra")


def _secret_variables() -> set[str]:
    services = facts()["services"].values()
    return {each["variable"] for service in services for each in service["secrets"]} | {"RONDO_SMTP_URL"}


def test_secrets_come_from_secrets_alone(resources: list[Resource]) -> None:
    for owner, pod in pods(resources).items():
        for name in _secret_variables() & set(variables(pod)):
            assert "secretKeyRef" in variables(pod)[name]["valueFrom"], owner
        (container,) = pod["containers"]
        assert "args" not in container


def test_each_service_is_given_what_it_reads_and_no_more(rendered: dict[str, list[Resource]]) -> None:
    deployments = _by_component(rendered["keda"], "Deployment")
    given = {name: set(variables(each["spec"]["template"]["spec"])) for name, each in deployments.items()}
    for name in NAMES:
        assert ("RONDO_ROOT_KEY" in given[name]) is (name == "gateway")
        assert ("RONDO_TOKEN_SECRET" in given[name]) is (name == "gateway")
        assert ("RONDO_POSTGRES_DSN" in given[name]) is (name == "history")
        assert ("RONDO_SMTP_URL" in given[name]) is (name in {"history", "notifier"})
        assert ("RONDO_REDIS_URL" in given[name]) is (name in {"gateway", "router", "notifier"})
    trying = _by_component(rendered["trying"], "Deployment")
    told = {name: variables(each["spec"]["template"]["spec"]) for name, each in trying.items()}
    assert {name for name, each in told.items() if "RONDO_DEMO_PAGES" in each} == {"gateway"}
    assert all(each["RONDO_LOG_LEVEL"]["value"] == "debug" for each in told.values())
    assert told["gateway"]["RONDO_DEMO_PAGES"]["value"] == "true"


def test_jobs_run_before_and_are_replaced(rendered: dict[str, list[Resource]]) -> None:
    for name, expected in (("least", {"create-topics", "migrate"}), ("keda", {"migrate"}), ("hpa", set())):
        jobs = of_kind(rendered[name], "Job")
        assert {each.removeprefix("rondo-") for each in jobs} == expected
        for job in jobs.values():
            notes = job["metadata"]["annotations"]
            assert notes["helm.sh/hook"] == "pre-install,pre-upgrade"
            assert "before-hook-creation" in notes["helm.sh/hook-delete-policy"]
            assert job["spec"]["activeDeadlineSeconds"] > 0
    owner = variables(pods(rendered["keda"])["Job/rondo-migrate"])["RONDO_POSTGRES_DSN"]
    assert owner["valueFrom"]["secretKeyRef"] == {"name": "rondo-owner", "key": "owner-dsn"}


def test_who_talks_to_postgres_trusts_its_authority_alone(rendered: dict[str, list[Resource]]) -> None:
    for name, pod in pods(rendered["keda"]).items():
        told = {variable: each.get("value") for variable, each in variables(pod).items()}
        mounted = {each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
        keys = [each["secret"] for each in pod["volumes"] if each["name"] == "postgres-ca"]
        talks = "RONDO_POSTGRES_DSN" in told
        assert (told.get("PGSSLMODE") == "verify-full") is talks, name
        assert (told.get("PGSSLROOTCERT") == "/certificates/postgres/ca.crt") is talks
        assert ("/certificates/postgres" in mounted) is talks
        root = {"secretName": "postgres-ca", "items": [{"key": "root.crt", "path": "ca.crt"}]}
        assert keys == ([root] if talks else [])
        assert (told.get("RONDO_POSTGRES_RUN_ROLE") == "rondo_run") is (name == "Job/rondo-migrate")
    for pod in pods(rendered["least"]).values():
        assert not {"PGSSLMODE", "RONDO_POSTGRES_RUN_ROLE"} & set(variables(pod))


def test_what_a_hook_needs_is_there_before_it(resources: list[Resource]) -> None:
    jobs = of_kind(resources, "Job")
    accounts = of_kind(resources, "ServiceAccount")
    for job in jobs.values():
        account = accounts[job["spec"]["template"]["spec"]["serviceAccountName"]]
        weight = int(account["metadata"]["annotations"]["helm.sh/hook-weight"])
        assert weight < int(job["metadata"]["annotations"]["helm.sh/hook-weight"])


def test_topics_outlive_the_release(rendered: dict[str, list[Resource]]) -> None:
    topics = of_kind(rendered["keda"], "KafkaTopic")
    assert set(topics) == {topic.name for topic in TOPICS}
    for topic in topics.values():
        assert topic["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    secret = of_kind(rendered["trying"], "Secret")["rondo-auth"]
    assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_who_is_scaled_has_no_fixed_number(rendered: dict[str, list[Resource]]) -> None:
    for name, kind in (("keda", "ScaledObject"), ("hpa", "HorizontalPodAutoscaler")):
        scaled = set(_by_component(rendered[name], kind))
        assert scaled == {"gateway", "router", "notifier", "history"}
        for component, deployment in _by_component(rendered[name], "Deployment").items():
            assert ("replicas" in deployment["spec"]) is (component not in scaled)
    assert not {"ScaledObject", "HorizontalPodAutoscaler"} & {each["kind"] for each in rendered["least"]}


def test_streams_are_never_timed_out_and_bodies_are_limited(rendered: dict[str, list[Resource]]) -> None:
    files, rest = of_kind(rendered["keda"], "HTTPRoute")["rondo-gateway"]["spec"]["rules"]
    assert rest["timeouts"] == {"request": "0s", "backendRequest": "0s"}
    assert files["matches"] == [{"path": {"type": "Exact", "value": "/v1/accounts/import"}}]
    ingresses = of_kind(rendered["hpa"], "Ingress")
    sizes = {}
    for name, each in ingresses.items():
        notes = each["metadata"]["annotations"]
        assert notes["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
        sizes[name] = int(notes["nginx.ingress.kubernetes.io/proxy-body-size"])
    assert 64 * 1024 < sizes["rondo-switchboard-gateway"] <= 1024 * 1024
    assert sizes["rondo-switchboard-gateway-imports"] > 32 * 1024 * 1024
