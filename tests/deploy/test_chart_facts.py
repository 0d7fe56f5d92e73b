"""What the chart knows of Kafka is what the registry says, and nobody may do more."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from docs.generate import ROOT
from docs.generators.chart import STOP_S, facts
from docs.generators.chart_readme import described
from rondo_common.access import grants
from rondo_common.consumer_groups import CONSUMER_GROUPS
from rondo_common.topics import TOPICS
from rondo_local.services import SERVICES
from tests.deploy.value_sets import Resource, of_kind

CHART = ROOT / "deploy/helm/rondo"


def test_a_service_may_do_what_the_registry_says_and_no_more(
    rendered: dict[str, list[Resource]],
) -> None:
    users = of_kind(rendered["keda"], "KafkaUser")
    for service in (each.name for each in SERVICES):
        acls = users[f"rondo-{service}"]["spec"]["authorization"]["acls"]
        allowed = {
            (a["resource"]["type"], a["resource"]["name"], op) for a in acls for op in a["operations"]
        }
        wanted = {("topic", t.name, "Read") for t in TOPICS if service in t.readers}
        wanted |= {("topic", t.name, "Write") for t in TOPICS if service in t.writers}
        wanted |= {("topic", t.name, "Describe") for t in TOPICS if service in (*t.readers, *t.writers)}
        wanted |= {
            ("group", g.name, op)
            for g in CONSUMER_GROUPS
            if g.service == service
            for op in ("Read", "Describe")
        }
        assert allowed == wanted
        assert all(a["resource"]["patternType"] == "literal" for a in acls)


def test_monitors_read_events_and_write_nothing(rendered: dict[str, list[Resource]]) -> None:
    acls = of_kind(rendered["keda"], "KafkaUser")["rondo-operators"]["spec"]["authorization"]["acls"]
    assert all(set(each["operations"]) <= {"Describe", "DescribeConfigs", "Read"} for each in acls)
    readable = {
        (each["resource"]["type"], each["resource"]["name"])
        for each in acls
        if "Read" in each["operations"]
    }
    topics = {("topic", topic.name) for topic in TOPICS if not topic.internal}
    assert readable == topics | {("group", "rondo-monitor")}
    groups = [each["resource"] for each in acls if each["resource"]["type"] == "group"]
    assert [each["name"] for each in groups if each["patternType"] == "prefix"] == ["rondo-monitor"]
    assert {"type": "cluster"} in [each["resource"] for each in acls]


def test_topics_are_created_as_they_are_declared(rendered: dict[str, list[Resource]]) -> None:
    topics = of_kind(rendered["keda"], "KafkaTopic")
    for topic in TOPICS:
        spec = topics[topic.name]["spec"]
        assert (spec["partitions"], spec["replicas"]) == (topic.partitions, 3)
        assert topic.config().items() <= spec["config"].items()
        assert spec["config"]["min.insync.replicas"] == "2"
        assert topics[topic.name]["metadata"]["labels"]["strimzi.io/cluster"] == "main"


def test_the_job_creates_topics_as_safe_as_those_of_strimzi(rendered: dict[str, list[Resource]]) -> None:
    job = of_kind(rendered["least"], "Job")["rondo-create-topics"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    told = {each["name"]: each["value"] for each in container["env"] if "value" in each}

    assert told["RONDO_KAFKA_REPLICATION_FACTOR"] == "3"
    assert told["RONDO_KAFKA_MIN_INSYNC_REPLICAS"] == "2"


def test_readers_are_scaled_by_the_lag_of_each_of_their_groups(
    rendered: dict[str, list[Resource]],
) -> None:
    scaled = of_kind(rendered["keda"], "ScaledObject")
    for service in ("router", "notifier", "history"):
        triggers = scaled[f"rondo-{service}"]["spec"]["triggers"]
        watched = {(t["metadata"]["consumerGroup"], t["metadata"]["topic"]) for t in triggers}
        assert watched == {
            (group.name, topic.name)
            for group in CONSUMER_GROUPS
            if group.service == service
            for topic in group.topics
        }
        assert all(each["authenticationRef"] == {"name": "rondo-kafka"} for each in triggers)
    kinds = [each["type"] for each in scaled["rondo-gateway"]["spec"]["triggers"]]
    assert kinds == ["prometheus", "cpu"]


def test_every_group_reads_topics_that_name_its_service() -> None:
    assert len({group.name for group in CONSUMER_GROUPS}) == len(CONSUMER_GROUPS)
    for group in CONSUMER_GROUPS:
        assert all(group.service in topic.readers for topic in group.topics), group.name


def test_every_group_that_a_service_joins_is_declared() -> None:
    declared = {group.name for group in CONSUMER_GROUPS}
    for file in (ROOT / "services").glob("*/src/**/*.py"):
        for name in re.findall(r"make_loop\(\s*settings,\s*(\w+)", file.read_text(encoding="utf-8")):
            assert name.isupper(), f"{file}: a group comes from rondo_common.consumer_groups"
    assert {
        grant.name for each in SERVICES for grant in grants(each.name) if grant.resource == "group"
    } == (declared)


def test_the_chart_brings_every_alert_rule_and_dashboard(rendered: dict[str, list[Resource]]) -> None:
    monitoring = ROOT / "deploy/monitoring"
    rules = of_kind(rendered["keda"], "PrometheusRule")
    assert set(rules) == {f"rondo-{file.stem}" for file in monitoring.glob("rules/*.yaml")}
    boards = of_kind(rendered["keda"], "ConfigMap")
    files = {file.name: file.read_text(encoding="utf-8") for file in monitoring.glob("dashboards/*.json")}
    assert {name: text for board in boards.values() for name, text in board["data"].items()} == files


def test_the_guide_tells_how_long_a_pod_may_take_to_end(rendered: dict[str, list[Resource]]) -> None:
    guide = (ROOT / "docs/operations/upgrade.md").read_text(encoding="utf-8")
    deployments = of_kind(rendered["least"], "Deployment")
    for row, told in (
        ("then, at most, by its own deadlines", lambda name: int(STOP_S[name])),
        (
            "and is killed after",
            lambda name: deployments[f"rondo-{name}"]["spec"]["template"]["spec"][
                "terminationGracePeriodSeconds"
            ],
        ),
    ):
        cells = " | ".join(f"{told(name)} s" for name in ("gateway", "router", "live-metrics"))
        assert f"| {row} | {cells} |" in guide
    assert STOP_S["router"] == STOP_S["notifier"] == STOP_S["history"]


def test_every_value_is_described() -> None:
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    known = {each.path for each in described(text)}
    for path in _leaves(yaml.safe_load(text)):
        assert any(path[:depth] in known for depth in range(1, len(path) + 1)), ".".join(path)


def test_secrets_are_no_settings_of_the_chart() -> None:
    for service in facts()["services"].values():
        secret = {each["variable"] for each in service["secrets"]}
        assert not (secret | {"RONDO_SMTP_URL"}) & set(service["settings"])
    keys = {each["variable"]: each for each in facts()["services"]["gateway"]["secrets"]}
    assert keys["RONDO_ROOT_KEY"] == {"variable": "RONDO_ROOT_KEY", "key": "root-key", "required": True}
    assert keys["RONDO_VAPID_PRIVATE_KEY"]["required"] is False


def test_the_charts_version_is_that_of_the_images() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{chart["appVersion"]}"' in project


def test_no_template_names_a_topic_or_a_group() -> None:
    names = [*(topic.name for topic in TOPICS), *(group.name for group in CONSUMER_GROUPS)]
    for file in (CHART / "templates").iterdir():
        text = file.read_text(encoding="utf-8")
        assert not [name for name in names if name in text], file.name


def _leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(value, dict) or not value:
        return [path]
    return [leaf for key, each in value.items() for leaf in _leaves(each, (*path, key))]


def test_the_readme_has_a_row_a_value() -> None:
    readme = Path(CHART / "README.md").read_text(encoding="utf-8")
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    for each in described(text):
        assert f"| `{'.'.join(each.path)}` |" in readme
