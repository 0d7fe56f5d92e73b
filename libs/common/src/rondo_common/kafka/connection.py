"""Where Kafka is, and how its clients are made."""

from __future__ import annotations

from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

FETCH_WAIT_MS = 250
"""How long the broker holds a fetch that it cannot answer with enough records yet."""

READ_TIMEOUT_MS = 8_000
"""A broker that keeps its connections and answers nothing for so long is given up, and who leads its
partitions now is asked for. Until then whoever reads from it reads nothing: aiokafka's own 40 s would be a
long silence. A rebalance may take longer; joining it is tried again meanwhile, by the same member.
"""


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """Where the brokers are (``host:port``, comma-separated) and who is calling."""

    bootstrap: str
    client_id: str


def make_producer(connection: KafkaConnection, *, request_timeout_ms: int) -> AIOKafkaProducer:
    """A producer that loses and doubles nothing the broker acknowledged: acks=all, idempotent."""
    return AIOKafkaProducer(
        bootstrap_servers=connection.bootstrap,
        client_id=connection.client_id,
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
        bootstrap_servers=connection.bootstrap,
        client_id=connection.client_id,
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
        bootstrap_servers=connection.bootstrap,
        client_id=connection.client_id,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=READ_TIMEOUT_MS,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        retry_backoff_ms=50,
    )
