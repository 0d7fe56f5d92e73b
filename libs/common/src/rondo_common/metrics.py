"""The registry of metrics: every metric of every service is declared here once.

The page ``docs/operations/metrics.md`` is written from it, and every alert rule and every dashboard is
checked against it. A label's values are few and known beforehand: no ids, no addresses, no workspaces.
To add a metric, declare it, list it in :data:`METRICS`, and observe it where the service is wired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

GATEWAY = "gateway"
ROUTER = "router"
NOTIFIER = "notifier"
HISTORY = "history"
LIVE_METRICS = "live-metrics"
READERS = (ROUTER, NOTIFIER, HISTORY)
"""The services whose work is the consumer loop."""

QUICK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets of what a machine does."""
PATIENT_S = (0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 100.0, 180.0, 300.0, 600.0, 1800.0)
"""Buckets of what people wait for."""


class MetricKind(StrEnum):
    """How a metric's value moves."""

    COUNTER = "counter"
    """It only grows, from 0 at the start of the process."""
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric's declaration. ``labels`` maps each label to what its values are."""

    name: str
    kind: MetricKind
    unit: str
    help: str
    services: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()
    """Upper limits, of a histogram."""

    def series(self) -> tuple[str, ...]:
        """The names a query may use for it."""
        if self.kind is not MetricKind.HISTOGRAM:
            return (self.name,)
        return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))


CHAT_REQUESTS_TAKEN = Metric(
    name="rondo_chat_requests_total",
    kind=MetricKind.COUNTER,
    unit="chat requests",
    help="Chat requests that were accepted: Kafka has confirmed them",
    services=(GATEWAY,),
    labels={"route": "`round_robin`, `agent`, `custom_rules` or `team`"},
)
MESSAGES_TAKEN = Metric(
    name="rondo_messages_total",
    kind=MetricKind.COUNTER,
    unit="messages",
    help="Messages that were accepted: Kafka has confirmed them",
    services=(GATEWAY,),
    labels={"author": "`visitor`, `agent` or `system`"},
)
REQUEST_DURATION = Metric(
    name="rondo_http_request_duration_seconds",
    kind=MetricKind.HISTOGRAM,
    unit="seconds",
    help="From a request's arrival to the beginning of its answer; streams are counted when they open",
    services=(GATEWAY, HISTORY),
    labels={
        "method": "the HTTP method, `other` for unusual ones",
        "route": "the route's template, such as `/v1/agents/{agent_id}`; `none` where there is none",
        "status": "`2xx`, `3xx`, `4xx`, `5xx`",
    },
    buckets=QUICK_S,
)
OPEN_STREAMS = Metric(
    name="rondo_open_streams",
    kind=MetricKind.GAUGE,
    unit="streams",
    help="Live streams and sockets that are open",
    services=(GATEWAY,),
)
ROUTED_CHATS = Metric(
    name="rondo_routed_chats_total",
    kind=MetricKind.COUNTER,
    unit="chats",
    help="Chats whose routing has ended, each once",
    services=(ROUTER,),
    labels={"outcome": "`accepted`, `fell_back` or `withdrawn`"},
)
OFFERS = Metric(
    name="rondo_offers_total",
    kind=MetricKind.COUNTER,
    unit="offers",
    help="Offers to agents that were made, and what became of them; those of transfers included",
    services=(ROUTER,),
    labels={"outcome": "`made`, `accepted`, `declined`, `timed_out` or `rescinded`"},
)
FALLBACKS = Metric(
    name="rondo_fallbacks_total",
    kind=MetricKind.COUNTER,
    unit="chats",
    help="Chats that fell back, by why nobody was connected",
    services=(ROUTER,),
    labels={"reason": "a fallback's reason, such as `nobody_available`"},
)
ENDED_CHATS = Metric(
    name="rondo_ended_chats_total",
    kind=MetricKind.COUNTER,
    unit="chats",
    help="Conversations that were active and are over",
    services=(ROUTER,),
    labels={"reason": "`visitor_ended`, `agent_ended`, `idle` or `agent_lost`"},
)
QUEUED_CHATS = Metric(
    name="rondo_queued_chats_total",
    kind=MetricKind.COUNTER,
    unit="chats",
    help="Chats that had to wait in a queue",
    services=(ROUTER,),
)
TIME_TO_OFFER = Metric(
    name="rondo_time_to_offer_seconds",
    kind=MetricKind.HISTOGRAM,
    unit="seconds",
    help="From a chat's request to its first offer, of chats that did not have to queue",
    services=(ROUTER,),
    buckets=(*QUICK_S, 30.0, 60.0, 300.0),
)
TIME_TO_ANSWER = Metric(
    name="rondo_time_to_answer_seconds",
    kind=MetricKind.HISTOGRAM,
    unit="seconds",
    help="From a chat's request to the first acceptance, of chats whose offer this process made",
    services=(ROUTER,),
    buckets=PATIENT_S,
)
QUEUE_WAIT = Metric(
    name="rondo_queue_wait_seconds",
    kind=MetricKind.HISTOGRAM,
    unit="seconds",
    help="How long a chat waited in its queue, of chats that this process queued",
    services=(ROUTER,),
    labels={"end": "`offered`, `fell_back` or `withdrawn`"},
    buckets=PATIENT_S,
)
REBUILDS = Metric(
    name="rondo_rebuilds_total",
    kind=MetricKind.COUNTER,
    unit="workspaces",
    help="Workspaces brought back from the log because Redis had lost them",
    services=(ROUTER,),
)
REBUILD_DURATION = Metric(
    name="rondo_rebuild_duration_seconds",
    kind=MetricKind.HISTOGRAM,
    unit="seconds",
    help="How long bringing back a partition's lost workspaces took; nobody decides there meanwhile",
    services=(ROUTER,),
    buckets=(0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
)
CONSUMER_LAG = Metric(
    name="rondo_consumer_lag_records",
    kind=MetricKind.GAUGE,
    unit="records",
    help="Records of an assigned partition that are written and not handled to their end",
    services=READERS,
    labels={
        "group": "the consumer group",
        "topic": "the topic",
        "partition": "its partition, in decimal",
    },
)
BLOCKED_PARTITIONS = Metric(
    name="rondo_blocked_partitions",
    kind=MetricKind.GAUGE,
    unit="partitions",
    help="Partitions that wait for something before they can go on; `/healthz` says for what",
    services=READERS,
    labels={"group": "the consumer group"},
)
ASSIGNED_PARTITIONS = Metric(
    name="rondo_assigned_partitions",
    kind=MetricKind.GAUGE,
    unit="partitions",
    help="Partitions that this process handles",
    services=READERS,
    labels={"group": "the consumer group"},
)
HANDLED_RECORDS = Metric(
    name="rondo_handled_records_total",
    kind=MetricKind.COUNTER,
    unit="records",
    help="Records that were handled to their end; one that is read again counts again",
    services=READERS,
    labels={"group": "the consumer group", "topic": "the topic"},
)
BATCH_DURATION = Metric(
    name="rondo_batch_duration_seconds",
    kind=MetricKind.HISTOGRAM,
    unit="seconds",
    help="How long handling a batch of one partition's records took, when it succeeded",
    services=READERS,
    labels={"group": "the consumer group"},
    buckets=QUICK_S,
)
DEAD_LETTERS_BURIED = Metric(
    name="rondo_dead_letters_total",
    kind=MetricKind.COUNTER,
    unit="records",
    help="Records that can never be handled, put aside on `rondo.dead-letters`",
    services=READERS,
    labels={"group": "the consumer group that rejected it", "topic": "where it was read"},
)
DELIVERIES = Metric(
    name="rondo_deliveries_total",
    kind=MetricKind.COUNTER,
    unit="attempts",
    help="Attempts to tell somebody on a channel, by what became of them",
    services=(NOTIFIER,),
    labels={
        "channel": "`inbox`, `web_push`, `email`, `chat_hooks` or `webhook`",
        "outcome": "`told`, `refused` (for good) or `later` (tried again); of a webhook `told` or `failed`",
    },
)
DELIVERY_DURATION = Metric(
    name="rondo_delivery_duration_seconds",
    kind=MetricKind.HISTOGRAM,
    unit="seconds",
    help="How long an attempt took; notices that travel together count together",
    services=(NOTIFIER,),
    labels={"channel": "as of `rondo_deliveries_total`"},
    buckets=QUICK_S,
)
RING_DELAY = Metric(
    name="rondo_ring_delay_seconds",
    kind=MetricKind.HISTOGRAM,
    unit="seconds",
    help="From the router's offer to its entry in the agent's mailbox, which their open inboxes read",
    services=(NOTIFIER,),
    buckets=QUICK_S,
)
ALERTS_TOLD = Metric(
    name="rondo_alerts_total",
    kind=MetricKind.COUNTER,
    unit="alerts",
    help="Changes of agents' alerts",
    services=(NOTIFIER,),
    labels={"state": "`sent`, `delivered`, `acknowledged`, `escalated`, `withdrawn` or `failed`"},
)
COVERAGE_ALARMS = Metric(
    name="rondo_coverage_alarms_total",
    kind=MetricKind.COUNTER,
    unit="alarms",
    help="Alarms of workspaces that nobody can be reached for, or whose queue waits for too long",
    services=(NOTIFIER,),
    labels={"alarm": "`nobody_reachable` or `queue_wait`", "change": "`raised` or `resolved`"},
)
WEBHOOKS_DISABLED = Metric(
    name="rondo_webhooks_disabled_total",
    kind=MetricKind.COUNTER,
    unit="endpoints",
    help="Webhook endpoints that were given up after days of failure",
    services=(NOTIFIER,),
)
QUEUE_LENGTH = Metric(
    name="rondo_queue_length",
    kind=MetricKind.GAUGE,
    unit="chats",
    help="Chats in the queues of this process's workspaces, at the end of each one's last window",
    services=(LIVE_METRICS,),
)
WAITING_CHATS = Metric(
    name="rondo_waiting_chats",
    kind=MetricKind.GAUGE,
    unit="chats",
    help="Chats that nobody has accepted yet, those in queues included, counted likewise",
    services=(LIVE_METRICS,),
)
ACTIVE_CHATS = Metric(
    name="rondo_active_chats",
    kind=MetricKind.GAUGE,
    unit="chats",
    help="Conversations under way, counted likewise",
    services=(LIVE_METRICS,),
)
LIVE_METRICS_DELAY = Metric(
    name="rondo_live_metrics_delay_seconds",
    kind=MetricKind.GAUGE,
    unit="seconds",
    help="Since when the windows of this process's slowest partition are not told",
    services=(LIVE_METRICS,),
)

METRICS: tuple[Metric, ...] = (
    CHAT_REQUESTS_TAKEN,
    MESSAGES_TAKEN,
    REQUEST_DURATION,
    OPEN_STREAMS,
    ROUTED_CHATS,
    OFFERS,
    FALLBACKS,
    ENDED_CHATS,
    QUEUED_CHATS,
    TIME_TO_OFFER,
    TIME_TO_ANSWER,
    QUEUE_WAIT,
    REBUILDS,
    REBUILD_DURATION,
    CONSUMER_LAG,
    BLOCKED_PARTITIONS,
    ASSIGNED_PARTITIONS,
    HANDLED_RECORDS,
    BATCH_DURATION,
    DEAD_LETTERS_BURIED,
    DELIVERIES,
    DELIVERY_DURATION,
    RING_DELAY,
    ALERTS_TOLD,
    COVERAGE_ALARMS,
    WEBHOOKS_DISABLED,
    QUEUE_LENGTH,
    WAITING_CHATS,
    ACTIVE_CHATS,
    LIVE_METRICS_DELAY,
)
