"""The figures of live metrics, counted anew from what stands on the topics, by other means.

Plain JSON and headers, no models and none of the code under test: minute for minute what a person with
a consumer would count.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from rondo_common.topics import Topic

WINDOW_S = 10
COUNTED = {
    "rondo.chat.requested.v1": "requested",
    "rondo.assignment.offered.v1": "offered",
    "rondo.assignment.accepted.v1": "accepted",
    "rondo.assignment.timed_out.v1": "missed",
    "rondo.assignment.declined.v1": "declined",
    "rondo.conversation.queued.v1": "queued",
    "rondo.conversation.withdrawn.v1": "withdrawn",
    "rondo.conversation.ended.v1": "ended",
}
FELL_BACK = "rondo.conversation.fell_back.v1"
FINAL = {FELL_BACK, "rondo.conversation.withdrawn.v1", "rondo.conversation.ended.v1"}
OFFERED, ACCEPTED = "rondo.assignment.offered.v1", "rondo.assignment.accepted.v1"
QUEUED = "rondo.conversation.queued.v1"
NOTHING = dict.fromkeys(COUNTED.values(), 0)

Event = tuple[float, str, str, dict[str, Any]]
"""When, which type, which conversation, and the value."""


async def read_all(bootstrap: str, *topics: Topic) -> list[ConsumerRecord]:
    """Every record that stands on the topics now, each partition in order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [
            TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)
        ]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        records: list[ConsumerRecord] = []
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            batches = await consumer.getmany(timeout_ms=200)
            records += [record for batch in batches.values() for record in batch]
        return records
    finally:
        await consumer.stop()


def events_of(records: Iterable[ConsumerRecord], workspace_id: str) -> list[Event]:
    """The workspace's events, each once, in the order of the log."""
    seen: set[str] = set()
    events: list[Event] = []
    for record in records:
        headers = {name: value.decode() for name, value in record.headers}
        if headers.get("ce_rondoworkspace") != workspace_id or headers["ce_id"] in seen:
            continue
        seen.add(headers["ce_id"])
        at = datetime.fromisoformat(headers["ce_time"]).timestamp()
        events.append((at, headers["ce_type"], headers.get("ce_subject", ""), json.loads(record.value)))
    return events


def recounted(events: Iterable[Event], service_level_s: float) -> dict[int, dict[str, Any]]:
    """The counts of every window in which something happened, by its start in seconds."""
    windows: dict[int, dict[str, Any]] = defaultdict(lambda: {**NOTHING, "fell_back": {}, "breaches": 0})
    chats: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        at, kind, conversation_id, value = event
        chats[conversation_id].append(event)
        window = windows[int(at // WINDOW_S) * WINDOW_S]
        if kind in COUNTED:
            window[COUNTED[kind]] += 1
        elif kind == FELL_BACK:
            reason = value["fallback"]["reason"]
            window["fell_back"][reason] = window["fell_back"].get(reason, 0) + 1
    for chat in chats.values():
        asked = min(at for at, kind, _, _ in chat if kind == "rondo.chat.requested.v1")
        settled = min((at for at, kind, _, _ in chat if kind in FINAL | {ACCEPTED}), default=float("inf"))
        if settled > asked + service_level_s:
            windows[int((asked + service_level_s) // WINDOW_S) * WINDOW_S]["breaches"] += 1
    return windows


def waits_until(events: Iterable[Event], kind: str) -> dict[int, list[float]]:
    """How long each chat took to come to ``kind`` first, by the window in which it did."""
    asked: dict[str, float] = {}
    reached: dict[str, float] = {}
    for at, each, conversation_id, _ in events:
        if each == "rondo.chat.requested.v1":
            asked[conversation_id] = at
        elif each == kind:
            reached.setdefault(conversation_id, at)
    waits: dict[int, list[float]] = defaultdict(list)
    for conversation_id, at in reached.items():
        waits[int(at // WINDOW_S) * WINDOW_S].append(at - asked[conversation_id])
    return waits


def standing(events: Iterable[Event], at_s: float) -> tuple[int, int, int]:
    """How many chats wait, how many of them in the queue, and how many are active just before ``at_s``."""
    telling = FINAL | {OFFERED, ACCEPTED, QUEUED, "rondo.chat.requested.v1"}
    last = {chat: kind for at, kind, chat, _ in events if at < at_s and kind in telling}
    kinds = list(last.values())
    active = kinds.count(ACCEPTED)
    over = sum(kind in FINAL for kind in kinds)
    return len(kinds) - active - over, kinds.count(QUEUED), active
