"""The Grafana dashboards, from what each panel shows. Checked against the registry of metrics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

SCHEMA_VERSION = 39
WIDTH = 12
HEIGHT = 8
COLUMNS = 2
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Query:
    """One query, and what its lines are called."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One diagram. ``unit`` is Grafana's: ``s``, ``short``, ``reqps``, ``percentunit``, ``bytes``."""

    title: str
    says: str
    unit: str
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels."""

    uid: str
    title: str
    panels: tuple[Panel, ...]


def _rate(metric: str, by: str, legend: str, selector: str = "") -> Query:
    return Query(f"sum by ({by}) (rate({metric}{selector}[$__rate_interval]))", legend)


def _quantiles(metric: str, selector: str = "") -> tuple[Query, ...]:
    buckets = f"sum by (le) (rate({metric}_bucket{selector}[$__rate_interval]))"
    return tuple(
        Query(f"histogram_quantile({quantile}, {buckets})", f"p{round(quantile * 100)}")
        for quantile in (0.5, 0.9, 0.99)
    )


def _quantile_by(metric: str, by: str, legend: str) -> Query:
    rate = f"rate({metric}_bucket[$__rate_interval])"
    return Query(f"histogram_quantile(0.99, sum by (le, {by}) ({rate}))", legend)


DASHBOARDS: tuple[Dashboard, ...] = (
    Dashboard(
        "rondo-overview",
        "Rondo: overview",
        (
            Panel(
                "Chats asked for",
                "Chat requests that were accepted, by route",
                "reqps",
                (_rate("rondo_chat_requests_total", "route", "{{route}}"),),
            ),
            Panel(
                "What became of them",
                "Chats whose routing has ended",
                "reqps",
                (_rate("rondo_routed_chats_total", "outcome", "{{outcome}}"),),
            ),
            Panel(
                "Under way",
                "Conversations that go on, and visitors who wait",
                "short",
                (
                    Query("sum(rondo_active_chats)", "active"),
                    Query("sum(rondo_waiting_chats)", "waiting"),
                    Query("sum(rondo_queue_length)", "in a queue"),
                ),
            ),
            Panel(
                "Request to offer",
                "How fast somebody is rung, of chats that need not queue",
                "s",
                _quantiles("rondo_time_to_offer_seconds"),
            ),
            Panel(
                "Request to answer",
                "How long a visitor waits for a person",
                "s",
                _quantiles("rondo_time_to_answer_seconds"),
            ),
            Panel(
                "Requests that failed",
                "Share of HTTP requests that Rondo answered with 5xx",
                "percentunit",
                (
                    Query(
                        "sum(rate(rondo_http_request_duration_seconds_count"
                        '{status="5xx"}[$__rate_interval]))'
                        " / sum(rate(rondo_http_request_duration_seconds_count[$__rate_interval]))",
                        "5xx",
                    ),
                ),
            ),
            Panel(
                "Records left to handle",
                "The consumers' lag, by group",
                "short",
                (Query("sum by (group) (rondo_consumer_lag_records)", "{{group}}"),),
            ),
            Panel(
                "Live metrics behind",
                "How old the newest windows on `rondo.metrics` are; some 15 s is as it should be",
                "s",
                (Query("max(rondo_live_metrics_delay_seconds)", "delay"),),
            ),
            Panel(
                "What needs somebody",
                "Partitions that wait, records put aside, workspaces brought back",
                "short",
                (
                    Query("sum(rondo_blocked_partitions)", "blocked partitions"),
                    Query("sum(increase(rondo_dead_letters_total[$__rate_interval]))", "dead letters"),
                    Query("sum(increase(rondo_rebuilds_total[$__rate_interval]))", "rebuilds"),
                ),
            ),
        ),
    ),
    Dashboard(
        "rondo-routing",
        "Rondo: routing",
        (
            Panel(
                "Offers",
                "Offers made, and what became of them",
                "reqps",
                (_rate("rondo_offers_total", "outcome", "{{outcome}}"),),
            ),
            Panel(
                "Fallbacks",
                "Why nobody was connected",
                "reqps",
                (_rate("rondo_fallbacks_total", "reason", "{{reason}}"),),
            ),
            Panel(
                "Queued",
                "Chats that had to wait in a queue",
                "reqps",
                (Query("sum(rate(rondo_queued_chats_total[$__rate_interval]))", "queued"),),
            ),
            Panel(
                "Wait in the queue",
                "99 of 100 waited less, by how the wait ended",
                "s",
                (_quantile_by("rondo_queue_wait_seconds", "end", "{{end}}"),),
            ),
            Panel(
                "Ends",
                "Conversations that are over, by why",
                "reqps",
                (_rate("rondo_ended_chats_total", "reason", "{{reason}}"),),
            ),
            Panel(
                "Bringing back",
                "How long bringing back lost workspaces took",
                "s",
                _quantiles("rondo_rebuild_duration_seconds"),
            ),
            Panel(
                "Router: a batch",
                "How long the router takes for a batch of requests and commands",
                "s",
                _quantiles("rondo_batch_duration_seconds", '{group="rondo.router"}'),
            ),
        ),
    ),
    Dashboard(
        "rondo-delivery",
        "Rondo: delivery",
        (
            Panel(
                "Offer to ring",
                "From the router's decision to the agent's mailbox",
                "s",
                _quantiles("rondo_ring_delay_seconds"),
            ),
            Panel(
                "Alerts",
                "Changes of agents' alerts",
                "reqps",
                (_rate("rondo_alerts_total", "state", "{{state}}"),),
            ),
            Panel(
                "Deliveries",
                "Attempts on every channel, by what became of them",
                "reqps",
                (_rate("rondo_deliveries_total", "channel, outcome", "{{channel}} {{outcome}}"),),
            ),
            Panel(
                "How long an attempt takes",
                "99 of 100 took less, by channel",
                "s",
                (_quantile_by("rondo_delivery_duration_seconds", "channel", "{{channel}}"),),
            ),
            Panel(
                "Coverage alarms",
                "Workspaces that nobody can be reached for, or whose queue waits for too long",
                "short",
                (
                    Query(
                        "sum by (alarm, change) (increase(rondo_coverage_alarms_total[$__rate_interval]))",
                        "{{alarm}} {{change}}",
                    ),
                ),
            ),
            Panel(
                "Endpoints given up",
                "Webhooks that failed for days",
                "short",
                (Query("sum(increase(rondo_webhooks_disabled_total[$__rate_interval]))", "given up"),),
            ),
        ),
    ),
    Dashboard(
        "rondo-streams",
        "Rondo: gateway and streams",
        (
            Panel(
                "Open streams",
                "Live streams and sockets, by gateway",
                "short",
                (Query("sum by (instance) (rondo_open_streams)", "{{instance}}"),),
            ),
            Panel(
                "Messages",
                "Messages that were accepted, by who wrote them",
                "reqps",
                (_rate("rondo_messages_total", "author", "{{author}}"),),
            ),
            Panel(
                "Requests",
                "HTTP requests by the class of their answer",
                "reqps",
                (_rate("rondo_http_request_duration_seconds_count", "status", "{{status}}"),),
            ),
            Panel(
                "How long requests take",
                "The slowest ten routes: 99 of 100 were faster",
                "s",
                (
                    Query(
                        "topk(10, histogram_quantile(0.99, sum by (le, method, route) "
                        "(rate(rondo_http_request_duration_seconds_bucket[$__rate_interval]))))",
                        "{{method}} {{route}}",
                    ),
                ),
            ),
            Panel(
                "Memory",
                "Of each process",
                "bytes",
                (Query("process_resident_memory_bytes", "{{job}} {{instance}}"),),
            ),
            Panel(
                "Open files",
                "Share of what each process may have; a stream needs one",
                "percentunit",
                (Query("process_open_fds / process_max_fds", "{{job}} {{instance}}"),),
            ),
        ),
    ),
    Dashboard(
        "rondo-kafka",
        "Rondo: consumers",
        (
            Panel(
                "Lag by group",
                "Records that are written and not handled",
                "short",
                (Query("sum by (group) (rondo_consumer_lag_records)", "{{group}}"),),
            ),
            Panel(
                "The partitions that lag most",
                "A hot workspace shows as one partition",
                "short",
                (
                    Query(
                        "topk(10, sum by (group, topic, partition) (rondo_consumer_lag_records))",
                        "{{group}} {{topic}}/{{partition}}",
                    ),
                ),
            ),
            Panel(
                "Records handled",
                "By group and topic",
                "reqps",
                (_rate("rondo_handled_records_total", "group, topic", "{{group}} {{topic}}"),),
            ),
            Panel(
                "How long a batch takes",
                "99 of 100 took less, by group",
                "s",
                (_quantile_by("rondo_batch_duration_seconds", "group", "{{group}}"),),
            ),
            Panel(
                "Partitions and who has them",
                "By group and process: a group's sum is steady",
                "short",
                (Query("sum by (group, instance) (rondo_assigned_partitions)", "{{group}} {{instance}}"),),
            ),
            Panel(
                "Partitions that wait",
                "`/healthz` of the process says for what",
                "short",
                (Query("sum by (group, instance) (rondo_blocked_partitions)", "{{group}} {{instance}}"),),
            ),
            Panel(
                "Put aside",
                "Records that can never be handled: `rondo dead-letters list`",
                "short",
                (
                    Query(
                        "sum by (group, topic) (increase(rondo_dead_letters_total[$__rate_interval]))",
                        "{{group}} {{topic}}",
                    ),
                ),
            ),
        ),
    ),
)


def dashboard_json(dashboard: Dashboard) -> str:
    """The dashboard as Grafana imports it. Deterministic."""
    return json.dumps(_document(dashboard), indent=2, ensure_ascii=False) + "\n"


def _document(dashboard: Dashboard) -> Json:
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["rondo"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}]
        },
        "links": [{"type": "dashboards", "tags": ["rondo"], "title": "Rondo", "asDropdown": True}],
        "panels": _panels(dashboard.panels),
    }


def _panels(panels: Sequence[Panel]) -> list[Json]:
    return [
        {
            "id": number + 1,
            "type": "timeseries",
            "title": panel.title,
            "description": panel.says,
            "datasource": SOURCE,
            "gridPos": {
                "x": WIDTH * (number % COLUMNS),
                "y": HEIGHT * (number // COLUMNS),
                "w": WIDTH,
                "h": HEIGHT,
            },
            "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
            "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
            "targets": [
                {"refId": chr(ord("A") + each), "expr": query.expr, "legendFormat": query.legend}
                for each, query in enumerate(panel.queries)
            ],
        }
        for number, panel in enumerate(panels)
    ]
