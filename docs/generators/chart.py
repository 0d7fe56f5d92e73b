"""What the Helm chart knows of Rondo, from the code: topics, groups, who may do what, settings, deadlines.

The chart reads it as ``files/facts.json``, so that its templates name no topic and no setting.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from docs.generators.settings_page import SERVICES
from rondo_common.access import OPERATORS, Grant, ResourceType, grants
from rondo_common.consumer_groups import CONSUMER_GROUPS
from rondo_common.kafka.consumer import LoopLimits
from rondo_common.kafka.group import PUBLISH_DEADLINE_S
from rondo_common.process import HTTP_STOP_S
from rondo_common.redis.settings import RedisSettings
from rondo_common.topics import TOPICS, Topic
from rondo_gateway.bootstrap import PUBLISH_DEADLINE_S as GATEWAY_PUBLISH_DEADLINE_S
from rondo_gateway.domain.limits import BODY_BYTES_MAX, IMPORT_BYTES_MAX
from rondo_gateway.entrypoints.open_streams import STOP_WAIT_S
from rondo_gateway.entrypoints.request_bodies import IMPORT_PATH, IMPORT_WAIT_S
from rondo_gateway.settings import DRAIN_S_MAX
from rondo_history.live_metrics.bootstrap import STOP_TIMEOUT_S

Json = dict[str, Any]

READER_STOP_S = max(HTTP_STOP_S, LoopLimits().drain_s + PUBLISH_DEADLINE_S) + PUBLISH_DEADLINE_S
"""A loop gives its partitions up, with what is under way told; then the producer sends the rest."""

STOP_S: Mapping[str, float] = {
    "gateway": DRAIN_S_MAX + max(HTTP_STOP_S, STOP_WAIT_S) + GATEWAY_PUBLISH_DEADLINE_S,
    "router": READER_STOP_S,
    "notifier": READER_STOP_S,
    "history": READER_STOP_S,
    "live-metrics": max(HTTP_STOP_S, STOP_TIMEOUT_S) + PUBLISH_DEADLINE_S,
}
"""How long each service may take from SIGTERM to its end, by its own deadlines."""

SERVERS: Mapping[str, str] = {
    "kafka": "RONDO_KAFKA_BOOTSTRAP",
    "redis": "RONDO_REDIS_URL",
    "postgres": "RONDO_POSTGRES_DSN",
    "smtp": "RONDO_SMTP_URL",
    "history": "RONDO_HISTORY_URL",
}
"""Who reads the setting reaches the server."""

CHART_DECIDES = frozenset(
    {
        *SERVERS.values(),
        "RONDO_HTTP_HOST",
        "RONDO_HTTP_PORT",
        "RONDO_INSTANCE",
        "RONDO_KAFKA_MIN_INSYNC_REPLICAS",
        "RONDO_KAFKA_REPLICATION_FACTOR",
        "RONDO_INTERNAL_PORT",
        *(f"RONDO_{name}".upper() for name in RedisSettings.model_fields),
        "RONDO_KAFKA_SECURITY_PROTOCOL",
        "RONDO_KAFKA_CA_FILE",
        "RONDO_KAFKA_CERTIFICATE_FILE",
        "RONDO_KAFKA_KEY_FILE",
        "RONDO_KAFKA_SASL_MECHANISM",
        "RONDO_KAFKA_USERNAME",
        "RONDO_KAFKA_PASSWORD",
    }
)
"""Settings with a value of their own in the chart. Those that are secret come from a Secret."""


def monitoring_copies(checkout: Path) -> dict[str, Callable[[], str]]:
    """What the chart brings along of ``deploy/monitoring``: Helm reads no file outside of a chart."""
    monitoring = checkout / "deploy/monitoring"
    found = [*monitoring.glob("rules/*.yaml"), *monitoring.glob("dashboards/*.json")]
    copies: dict[str, Callable[[], str]] = {}
    for file in sorted(found):
        copy = f"deploy/helm/rondo/files/monitoring/{file.relative_to(monitoring)}"
        copies[copy] = partial(file.read_text, encoding="utf-8")
    return copies


def facts_json() -> str:
    """The file's text. Deterministic."""
    return json.dumps(facts(), indent=2, ensure_ascii=False) + "\n"


def facts() -> Json:
    """All of it as plain values."""
    return {
        "note": "Written by `make generate`; do not edit.",
        "topics": [_topic(topic) for topic in TOPICS],
        "services": {name: _service(name) for name in SERVICES},
        "operators": {"acls": [_acl(grant) for grant in grants(OPERATORS)]},
        "bodyBytesMax": BODY_BYTES_MAX,
        "importPath": IMPORT_PATH,
        "importBytesMax": IMPORT_BYTES_MAX,
        "importWaitSeconds": int(IMPORT_WAIT_S),
    }


def secret_key(variable: str) -> str:
    """What a secret setting is called in the Secret of keys: ``RONDO_ROOT_KEY`` → ``root-key``."""
    return variable.removeprefix("RONDO_").lower().replace("_", "-")


def _topic(topic: Topic) -> Json:
    return {"name": topic.name, "partitions": topic.partitions, "config": topic.config()}


def _service(name: str) -> Json:
    fields = {f"RONDO_{field}".upper(): info for field, info in SERVICES[name].model_fields.items()}
    secrets = {variable for variable, field in fields.items() if _is_secret(field)}
    return {
        "stopSeconds": int(STOP_S[name]),
        "reaches": [server for server, variable in SERVERS.items() if variable in fields],
        "settings": sorted(set(fields) - CHART_DECIDES - secrets),
        "variables": sorted(fields),
        "secrets": [
            {"variable": variable, "key": secret_key(variable), "required": fields[variable].is_required()}
            for variable in sorted(secrets - CHART_DECIDES)
        ],
        "groups": [
            {"name": group.name, "topics": [topic.name for topic in group.topics]}
            for group in CONSUMER_GROUPS
            if group.service == name
        ],
        "acls": [_acl(grant) for grant in grants(name)],
    }


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


def _acl(grant: Grant) -> Json:
    resource = {"type": grant.resource.value}
    if grant.resource is not ResourceType.CLUSTER:
        resource |= {"name": grant.name, "patternType": "literal"}
    return {"resource": resource, "operations": list(grant.operations), "host": "*"}
