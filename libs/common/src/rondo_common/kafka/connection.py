"""Where Kafka is, as whom it is spoken to, and how every one of its clients is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from rondo_common.kafka.security import KafkaSecurity
from rondo_common.kafka.settings import KafkaSettings

FETCH_WAIT_MS = 250
"""How long the broker holds a fetch that it cannot answer with enough records yet."""

READ_TIMEOUT_MS = 8_000
"""A broker that keeps its connections and answers nothing for so long is given up, and who leads its
partitions now is asked for. Until then whoever reads from it reads nothing: aiokafka's own 40 s would be a
long silence. A rebalance may take longer; joining it is tried again meanwhile, by the same member.
"""


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """Where the brokers are (``host:port``, comma-separated), who is calling, and how they are let in."""

    bootstrap: str
    client_id: str
    security: KafkaSecurity = field(default_factory=KafkaSecurity)

    @classmethod
    def of(cls, settings: KafkaSettings, *, client_id: str) -> KafkaConnection:
        """As the settings say."""
        return cls(settings.kafka_bootstrap, client_id, settings.kafka_security)

    def client_options(self) -> dict[str, Any]:
        """The arguments that all of aiokafka's clients have in common.

        Raises:
            OSError: a file of a certificate cannot be read any more.
        """
        return {
            "bootstrap_servers": self.bootstrap,
            "client_id": self.client_id,
            **self.security.client_options(),
        }


def make_producer(connection: KafkaConnection, *, request_timeout_ms: int) -> AIOKafkaProducer:
    """A producer that loses and doubles nothing the broker acknowledged: acks=all, idempotent."""
    return AIOKafkaProducer(
        **connection.client_options(),
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        request_timeout_ms=request_timeout_ms,
        retry_backoff_ms=50,
        max_request_size=1_000_000,
    )


def make_group_consumer(
    connection: KafkaConnection,
    group: str,
    *,
    session_timeout_ms: int,
    rebalance_timeout_ms: int,
    fetch_bytes_min: int = 1,
) -> AIOKafkaConsumer:
    """A consumer in ``group`` that commits nothing by itself and starts new groups at the beginning."""
    return AIOKafkaConsumer(
        **connection.client_options(),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=session_timeout_ms,
        heartbeat_interval_ms=session_timeout_ms // 5,
        rebalance_timeout_ms=rebalance_timeout_ms,
        max_poll_interval_ms=rebalance_timeout_ms,
        request_timeout_ms=READ_TIMEOUT_MS,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        fetch_min_bytes=fetch_bytes_min,
        retry_backoff_ms=50,
    )


def make_reader(connection: KafkaConnection) -> AIOKafkaConsumer:
    """A consumer without a group: it is told which partitions to read, and commits nothing."""
    return AIOKafkaConsumer(
        **connection.client_options(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=READ_TIMEOUT_MS,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        retry_backoff_ms=50,
    )


def make_admin(connection: KafkaConnection, *, request_timeout_ms: int = 40_000) -> AIOKafkaAdminClient:
    """A client that looks at the brokers, and changes what is on them."""
    return AIOKafkaAdminClient(**connection.client_options(), request_timeout_ms=request_timeout_ms)
