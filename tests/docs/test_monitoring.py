"""Alert rules and dashboards: every query is PromQL, of metrics and labels that are really there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml

from docs import generate
from rondo_common.metrics import METRICS, MetricKind
from rondo_common.topics import CHAT_REQUESTS

MONITORING = generate.ROOT / "deploy/monitoring"
RUNBOOKS = "docs/operations/runbooks.md"
SCRAPED = {"job", "instance"}
"""Labels that every scrape adds."""
OF_EVERY_PROCESS = {"process_resident_memory_bytes", "process_open_fds", "process_max_fds"}
LABELS: dict[str, set[str]] = {
    series: set(metric.labels) | ({"le"} if series.endswith("_bucket") else set())
    for metric in METRICS
    for series in metric.series()
} | {name: set() for name in OF_EVERY_PROCESS}


def _rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((MONITORING / "rules/rondo.yaml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def _targets() -> list[tuple[str, str, str]]:
    """Every query of every dashboard: where it is, itself, and its legend."""
    found = []
    for path in sorted((MONITORING / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                found.append((f"{path.stem}/{panel['title']}", target["expr"], target["legendFormat"]))
    return found


def _parts(node: Any) -> Iterator[Any]:
    """A query's node and all below it."""
    yield node
    below = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "vector_selector", "param")]
    for each in [*below, *getattr(node, "args", ())]:
        if hasattr(each, "prettify"):
            yield from _parts(each)


def _read(query: str) -> tuple[set[str], set[str]]:
    """The metrics of a query, and the labels it selects or groups by."""
    metrics: set[str] = set()
    labels: set[str] = set()
    for node in _parts(promql_parser.parse(query.replace("$__rate_interval", "5m"))):
        if isinstance(node, promql_parser.VectorSelector):
            metrics.add(str(node.name))
            labels |= {each.name for each in node.matchers.matchers}
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            labels |= set(node.modifier.labels)
    return metrics, labels


def _check(where: str, query: str, also: set[str]) -> None:
    metrics, labels = _read(query)
    assert metrics, where
    assert metrics <= set(LABELS), (where, metrics - set(LABELS))
    known = SCRAPED.union(*(LABELS[name] for name in metrics))
    assert labels | also <= known, (where, (labels | also) - known)


def test_a_query_is_read_to_its_last_metric_and_label() -> None:
    query = (
        'topk(3, histogram_quantile(0.9, sum by (le, a) (rate(x_bucket{b="1"}[5m])))) > on (c) (y - z) * 2'
    )
    assert _read(query) == ({"x_bucket", "y", "z"}, {"le", "a", "b"})
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        _read("sum by (le (x)")


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule["alert"])
def test_an_alert_rule_stands_on_metrics_that_exist_and_says_what_to_do(rule: dict[str, Any]) -> None:
    words = f"{rule['annotations']['summary']} {rule['annotations']['description']}"
    named = set(re.findall(r"\$labels\.(\w+)", words))
    _check(rule["alert"], rule["expr"], named)
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["runbook"] == f"{RUNBOOKS}#{rule['alert'].lower()}"


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    text = (generate.ROOT / RUNBOOKS).read_text(encoding="utf-8")
    assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == [rule["alert"] for rule in _rules()]


def test_the_number_of_partitions_in_the_rules_is_the_registrys() -> None:
    (rule,) = (each for each in _rules() if each["alert"] == "RondoRoutingStands")
    assert f"< {CHAT_REQUESTS.partitions} " in rule["expr"]


@pytest.mark.parametrize(("where", "query", "legend"), _targets(), ids=lambda each: str(each)[:60])
def test_a_panel_shows_metrics_that_exist(where: str, query: str, legend: str) -> None:
    _check(where, query, set(re.findall(r"{{(\w+)}}", legend)))


def test_every_metric_is_on_a_dashboard() -> None:
    shown = {metric for _, query, _ in _targets() for metric in _read(query)[0]}
    missing = [metric.name for metric in METRICS if not shown & set(metric.series())]
    assert missing == []


def test_a_histogram_is_asked_for_quantiles_by_its_buckets_and_a_counter_for_its_rate() -> None:
    counters = {metric.name for metric in METRICS if metric.kind is MetricKind.COUNTER}
    for where, query in [(each, query) for each, query, _ in _targets()] + [
        (rule["alert"], rule["expr"]) for rule in _rules()
    ]:
        for name in _read(query)[0] & counters:
            assert re.search(rf"(rate|increase)\({name}\b", query), where
        if "histogram_quantile" in query:
            assert "_bucket" in query
            assert "le" in _read(query)[1], where


def test_dashboards_have_ids_of_their_own() -> None:
    documents = [
        json.loads(path.read_text(encoding="utf-8")) for path in (MONITORING / "dashboards").glob("*.json")
    ]
    assert len({each["uid"] for each in documents}) == len(documents)
    for document in documents:
        ids = [panel["id"] for panel in document["panels"]]
        assert len(set(ids)) == len(ids)
