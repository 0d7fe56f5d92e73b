"""The raw limits of Kafka through aiokafka: two bare hops, and a bare consume-and-produce loop."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from rondo_bench.figures import Latency

PAYLOAD = b"x" * 400


@contextlib.asynccontextmanager
async def scratch_topics(bootstrap: str, count: int) -> AsyncIterator[list[str]]:
    """Topics of one partition, deleted afterwards."""
    names = [f"bench.{uuid.uuid4().hex[:8]}.{number}" for number in range(count)]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1) for name in names])
        yield names
        await admin.delete_topics(names)
    finally:
        await admin.close()


@contextlib.asynccontextmanager
async def scratch_topic(bootstrap: str) -> AsyncIterator[str]:
    """A topic of one partition, deleted afterwards."""
    async with scratch_topics(bootstrap, 1) as (name,):
        yield name


@contextlib.asynccontextmanager
async def writing(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that promises what Rondo's does."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@contextlib.asynccontextmanager
async def reading(bootstrap: str, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of a topic's one partition, from its beginning."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    consumer.assign([TopicPartition(topic, 0)])
    try:
        yield consumer
    finally:
        await consumer.stop()


async def two_hops(bootstrap: str, *, per_second: float, seconds: float) -> Latency:
    """Produce → relay → consume, at a given rate: the least that request → ring can take."""
    async with (
        scratch_topics(bootstrap, 2) as (first, second),
        writing(bootstrap) as source,
        writing(bootstrap) as relaying,
        reading(bootstrap, first) as middle,
        reading(bootstrap, second) as end,
    ):
        times: list[float] = []

        async def relay() -> None:
            async for record in middle:
                await relaying.send(second, record.value)

        async def arrive() -> None:
            async for record in end:
                times.append(time.perf_counter() - float(record.value.split()[0]))

        tasks = [asyncio.create_task(relay()), asyncio.create_task(arrive())]
        for _ in range(int(per_second * seconds)):
            await source.send(first, f"{time.perf_counter()} ".encode() + PAYLOAD)
            await asyncio.sleep(1 / per_second)
        await asyncio.sleep(0.5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return Latency.of(times)


async def consume_and_produce(bootstrap: str, *, records: int) -> float:
    """Records a second through one process that reads batches and writes each record on."""
    async with (
        scratch_topics(bootstrap, 2) as (first, second),
        writing(bootstrap) as producer,
        reading(bootstrap, first) as consumer,
    ):
        for confirmation in [await producer.send(first, PAYLOAD) for _ in range(records)]:
            await confirmation
        started, done = time.perf_counter(), 0
        while done < records:
            batches = await consumer.getmany(timeout_ms=1000, max_records=500)
            sent = [
                await producer.send(second, record.value) for batch in batches.values() for record in batch
            ]
            await asyncio.gather(*sent)
            done += len(sent)
        return records / (time.perf_counter() - started)
