"""What must hold after a load, whatever happened meanwhile: in the log, the transcripts and the streams."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS
from tests.load.chats import Chat, Load

TOPICS = (CHAT_REQUESTS, CONVERSATIONS)
REQUESTED = "rondo.chat.requested.v1"
ACCEPTED = "rondo.assignment.accepted.v1"
POSTED = "rondo.message.posted.v1"
ENDED = "rondo.conversation.ended.v1"
TOLD = {
    "rondo.assignment.offered.v1": "assignment.offered",
    ACCEPTED: "assignment.accepted",
    POSTED: "message.posted",
    ENDED: "conversation.ended",
}
"""What both sides are told, by its type in the log."""

AT_ONCE = 8

Story = list[tuple[str, str, str]]
"""A conversation's events in the order of the log, each once: type, id, and the id of a message."""


@dataclass
class Log:
    """What the topics have of the workspaces of a load."""

    stories: dict[str, Story]
    requested: set[str]


async def check(load: Load, bootstrap: str) -> dict[str, int]:
    """Raise ``AssertionError`` for the first chat that was lost, doubled or told wrongly; the figures."""
    log = await _read(bootstrap, {house.workspace.id for house in load.houses})
    for chat in load.chats:
        _check_log(chat, log.stories[chat.id])
        _check_streams(load, chat, log.stories[chat.id])
    strangers = log.requested - {chat.id for chat in load.chats}
    assert not strangers, f"chats that nobody was told of: {strangers}"
    await _check_transcripts(load.chats)
    said = sum(len(chat.said) for chat in load.chats)
    return {"chats": len(load.chats), "messages": said, **load.refused}


def _check_log(chat: Chat, story: Story) -> None:
    kinds = [kind for kind, _, _ in story]
    for kind in (REQUESTED, ACCEPTED, ENDED):
        assert kinds.count(kind) == 1, f"{chat.id}: {kinds.count(kind)} times {kind}"
    posted = [message for kind, _, message in story if kind == POSTED]
    assert posted == [said.id for said in chat.said], f"{chat.id}: other messages in the log than answered"
    assert kinds[-1] == ENDED, f"{chat.id}: {kinds}"


def _check_streams(load: Load, chat: Chat, story: Story) -> None:
    told = [(TOLD[kind], event_id) for kind, event_id, _ in story if kind in TOLD]
    house = next(house for house in load.houses if house.workspace is chat.workspace)
    by_agent = house.ears[chat.agent_id].told(chat.id, TOLD.values())
    assert by_agent == told, f"{chat.id}: the agent heard {by_agent}, not {told}"
    by_visitor = chat.visitor.told(chat.id, TOLD.values())
    # What was before their stream began is in its snapshot.
    assert by_visitor == told[len(told) - len(by_visitor) :], f"{chat.id}: the visitor heard {by_visitor}"
    assert len(by_visitor) > len(chat.said)


async def _check_transcripts(chats: Iterable[Chat]) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(chat: Chat) -> None:
        async with places:
            transcript = await chat.workspace.transcript(chat.id, messages=len(chat.said))
        said = [line["text"] for line in transcript["lines"] if line["type"] == "message"]
        assert said == [each.text for each in chat.said], f"{chat.id}: {said}"

    await asyncio.gather(*map(one, chats))


async def _read(bootstrap: str, workspaces: set[str]) -> Log:
    log = Log(defaultdict(list), set())
    seen: set[tuple[str, str]] = set()
    async for record in _records(bootstrap):
        headers = {name: value.decode() for name, value in record.headers}
        chat, event_id, kind = headers.get("ce_subject", ""), headers["ce_id"], headers["ce_type"]
        if headers["ce_rondoworkspace"] not in workspaces or (chat, event_id) in seen:
            continue
        seen.add((chat, event_id))
        if kind == REQUESTED:
            log.requested.add(chat)
        if kind in {REQUESTED, *TOLD}:
            log.stories[chat].append((kind, event_id, _message_id(kind, record.value)))
    return log


async def _records(bootstrap: str) -> AsyncIterator[ConsumerRecord]:
    """Everything on both topics up to now: requests first, then each partition in its order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        for topic in TOPICS:
            for number in range(topic.partitions):
                partition = TopicPartition(topic.name, number)
                consumer.assign([partition])
                await consumer.seek_to_beginning(partition)
                end = (await consumer.end_offsets([partition]))[partition]
                while await consumer.position(partition) < end:
                    for batch in (await consumer.getmany(timeout_ms=1000)).values():
                        for record in batch:
                            yield record
    finally:
        await consumer.stop()


def _message_id(kind: str, value: bytes) -> str:
    return json.loads(value)["message"]["id"] if kind == POSTED else ""
