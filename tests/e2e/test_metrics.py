"""What every process tells Prometheus, of chats that really happened."""

from __future__ import annotations

import json
from collections import defaultdict

import httpx
from prometheus_client.parser import text_string_to_metric_families

from rondo_common.metrics import METRICS, MetricKind
from rondo_common.topics import CHAT_REQUESTS
from tests.e2e.client import Caller, Workspace, eventually
from tests.e2e.conftest import RunningStack

Figures = dict[str, dict[tuple[tuple[str, str], ...], float]]
LATER = {
    "rondo_queue_wait_seconds",
    "rondo_delivery_duration_seconds",
    "rondo_dead_letters_total",
    "rondo_live_metrics_delay_seconds",
}
"""Told with the first chat that waited, the first delivery of a channel, the first record put aside, the
first window that is over in every partition."""


def _processes(running: RunningStack) -> dict[str, str]:
    """Where each process tells its metrics, by its name."""
    ports = json.loads(running.stack.layout.state_file.read_text(encoding="utf-8"))["ports"]
    services = ("gateway", "router", "notifier", "history", "live-metrics")
    found = {}
    for name, port in ports.items():
        service = next((each for each in services if name == each or name.startswith(f"{each}-")), None)
        if service == "gateway" and not name.endswith("-internal"):
            continue
        if service is not None:
            found[name] = f"http://127.0.0.1:{port}/metrics"
    return found


async def _scraped(running: RunningStack) -> dict[str, Figures]:
    """What the processes of each service tell, added up."""
    services: dict[str, Figures] = defaultdict(lambda: defaultdict(lambda: defaultdict(float)))
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        for name, url in _processes(running).items():
            answer = await http.get(url)
            assert answer.status_code == 200, (name, answer.text)
            service = next(
                each
                for each in ("live-metrics", "gateway", "router", "notifier", "history")
                if name.startswith(each)
            )
            for family in text_string_to_metric_families(answer.text):
                for sample in family.samples:
                    services[service][sample.name][tuple(sorted(sample.labels.items()))] += sample.value
    return services


def _value(figures: Figures, name: str, **labels: str) -> float:
    """The sum over everything that has these labels."""
    return sum(value for each, value in figures[name].items() if labels.items() <= dict(each).items())


async def test_a_chat_shows_in_the_figures_of_every_service(
    workspace: Workspace, running: RunningStack
) -> None:
    before = await _scraped(running)
    await workspace.agents("grace")
    grace = await workspace.agent("grace")
    async with grace.stream("/v1/agents/me/stream") as ringing:
        await ringing.next()
        asked = await workspace.ask(to="grace")
        await ringing.until("assignment.offered")
        assert _value((await _scraped(running))["gateway"], "rondo_open_streams") >= 1
        path = f"/v1/conversations/{asked['id']}"
        await grace.post(f"{path}/accept")
        await grace.post(f"{path}/messages", {"client_message_id": "1", "text": "Hej"})
        await grace.post(f"{path}/end")
    await workspace.transcript(asked["id"], messages=1)

    def grew(now: dict[str, Figures], service: str, name: str, **labels: str) -> float:
        return _value(now[service], name, **labels) - _value(before[service], name, **labels)

    async def all_told() -> dict[str, Figures] | None:
        now = await _scraped(running)
        alerts = grew(now, "notifier", "rondo_alerts_total", state="acknowledged")
        kept = grew(now, "history", "rondo_handled_records_total", topic="rondo.conversations")
        assigned = _value(now["router"], "rondo_assigned_partitions")
        return now if alerts and kept >= 4 and assigned == CHAT_REQUESTS.partitions else None

    now = await eventually(all_told, "the figures of a whole chat")
    for service, name, labels in (
        ("gateway", "rondo_chat_requests_total", {"route": "agent"}),
        ("gateway", "rondo_messages_total", {"author": "agent"}),
        (
            "gateway",
            "rondo_http_request_duration_seconds_count",
            {"method": "POST", "route": "/v1/conversations", "status": "2xx"},
        ),
        ("gateway", "rondo_http_request_duration_seconds_count", {"route": "/v1/agents/{id}/stream"}),
        ("router", "rondo_offers_total", {"outcome": "made"}),
        ("router", "rondo_offers_total", {"outcome": "accepted"}),
        ("router", "rondo_routed_chats_total", {"outcome": "accepted"}),
        ("router", "rondo_ended_chats_total", {"reason": "agent_ended"}),
        ("router", "rondo_time_to_offer_seconds_count", {}),
        ("router", "rondo_time_to_answer_seconds_count", {}),
        ("notifier", "rondo_ring_delay_seconds_count", {}),
        ("notifier", "rondo_deliveries_total", {"channel": "inbox", "outcome": "told"}),
        ("history", "rondo_http_request_duration_seconds_count", {"status": "2xx"}),
    ):
        assert grew(now, service, name, **labels) >= 1, (service, name, labels)


async def test_every_process_tells_what_is_declared_for_it_and_nothing_that_identifies(
    workspace: Workspace, running: RunningStack
) -> None:
    await workspace.agents("grace")
    asked, _, _ = await workspace.connected("grace")
    now = await _scraped(running)
    for service, figures in now.items():
        declared = [metric for metric in METRICS if service in metric.services]
        for metric in declared:
            if metric.name not in LATER:
                assert any(figures[name] for name in metric.series()), (service, metric.name)
        series = {name for metric in declared for name in metric.series()}
        told = {name for name in figures if name.startswith("rondo_") and not name.endswith("_created")}
        assert told <= series
        for metric in declared:
            extra = {"le"} if metric.kind is MetricKind.HISTOGRAM else set()
            for name in metric.series():
                for labels in figures[name]:
                    assert {label for label, _ in labels} <= set(metric.labels) | extra
        values = {value for each in figures.values() for labels in each for _, value in labels}
        assert not {value for value in values if workspace.id in value or asked["id"] in value}


async def test_the_public_port_tells_no_metrics(root: Caller) -> None:
    answer = await root.call("GET", "/metrics")
    assert answer.status_code == 404
