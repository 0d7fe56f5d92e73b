"""The topics, read as an operator's own monitor would: a plain consumer and the CloudEvents SDK."""

from __future__ import annotations

from collections import Counter

from aiokafka import AIOKafkaConsumer, TopicPartition
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event

from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS

TOPICS = (CHAT_REQUESTS, CONVERSATIONS)


async def events_of_workspace(bootstrap: str, workspace_id: str) -> list[BaseCloudEvent]:
    """Every event of a workspace on the topics about chats, requests first, then in log order."""
    partitions = [TopicPartition(each.name, n) for each in TOPICS for n in range(each.partitions)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: dict[TopicPartition, list[BaseCloudEvent]] = {each: [] for each in partitions}
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        for partition, end in ends.items():
            while await consumer.position(partition) < end:
                for batch in (await consumer.getmany(partition, timeout_ms=1000)).values():
                    for record in batch:
                        headers = dict(record.headers)
                        if headers["ce_rondoworkspace"].decode() == workspace_id:
                            message = KafkaMessage(headers=headers, key=record.key, value=record.value)
                            found[partition].append(from_kafka_event(message))
    finally:
        await consumer.stop()
    return [event for partition in partitions for event in found[partition]]


async def events_of_conversation(
    bootstrap: str, workspace_id: str, conversation_id: str
) -> list[BaseCloudEvent]:
    """The events of one conversation, its request first."""
    events = await events_of_workspace(bootstrap, workspace_id)
    return [event for event in events if event.get_subject() == conversation_id]


def count_of(events: list[BaseCloudEvent], kind: str) -> Counter[str]:
    """How many different events of a type each conversation has: a fact told twice counts once."""
    ids = {(event.get_subject(), event.get_id()) for event in events if event.get_type() == kind}
    return Counter(subject or "" for subject, _ in ids)
