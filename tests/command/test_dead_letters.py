"""``rondo dead-letters``: what lies there, and that it goes back as it was."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime

from aiokafka import ConsumerRecord

from rondo_common.ids import WorkspaceId
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.partitioning import partition_of
from rondo_common.kafka.publisher import Outgoing
from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS, DEAD_LETTERS, Topic
from tests.command.conftest import Rondo, publish, record_of
from tests.history.live_chats import ToldChat
from tests.history.recount_windows import read_all

Headers = list[tuple[str, bytes]]


def fresh_chat() -> ToldChat:
    return ToldChat(WorkspaceId(f"ws-{uuid.uuid4().hex}"), datetime.now(UTC))


def bury(kafka: KafkaConnection, record: Outgoing, **more: str) -> int:
    """Put a record aside as a reader does; its offset among the dead letters."""
    why = {"rondo_reason": "no such\nthing", "rondo_topic": record.topic.name, "rondo_partition": "0"}
    why |= {"rondo_offset": "7", "rondo_reader": "rondo.tests"} | more
    headers = [*record.headers, *((name, text.encode()) for name, text in why.items())]
    publish(kafka, [Outgoing(DEAD_LETTERS, 0, record.key, record.value, headers)])
    marker = dict(record.headers)["ce_id"]
    (found,) = [r for r in read(kafka, DEAD_LETTERS) if dict(r.headers).get("ce_id") == marker]
    return int(found.offset)


def read(kafka: KafkaConnection, topic: Topic) -> list[ConsumerRecord]:
    return asyncio.run(read_all(kafka.bootstrap, topic))


def in_workspace(records: list[ConsumerRecord], chat: ToldChat) -> list[ConsumerRecord]:
    wanted = chat.workspace_id.encode()
    return [each for each in records if dict(each.headers).get("ce_rondoworkspace") == wanted]


def test_the_list_names_each_with_where_it_is_from_and_why(kafka: KafkaConnection, rondo: Rondo) -> None:
    chat = fresh_chat()
    offset = bury(kafka, record_of(chat.envelopes[0]))
    listed = rondo("dead-letters", "list", "--workspace", chat.workspace_id)
    assert listed.exit_code == 0, listed.stderr
    _, line = listed.stdout.strip().splitlines()
    for words in (
        str(offset),
        CHAT_REQUESTS.name,
        "rondo.tests",
        "rondo.chat.requested.v1",
        "no such thing",
    ):
        assert words in line


def test_one_is_shown_with_its_headers_and_value(kafka: KafkaConnection, rondo: Rondo) -> None:
    chat = fresh_chat()
    offset = bury(kafka, record_of(chat.envelopes[0]))
    shown = rondo("dead-letters", "show", str(offset))
    assert shown.exit_code == 0, shown.stderr
    assert f"key: {chat.workspace_id}" in shown.stdout
    assert "rondo_reason: no such" in shown.stdout
    assert json.loads(shown.stdout.partition("\n\n")[2])["conversation_id"] == chat.id


def test_a_retry_puts_the_record_back_as_it_was_in_its_own_partition(
    kafka: KafkaConnection, rondo: Rondo
) -> None:
    chat = fresh_chat().ended(datetime.now(UTC))
    originals = [record_of(each) for each in chat.envelopes]
    offsets = [bury(kafka, each) for each in originals]
    ran = rondo("dead-letters", "retry", *map(str, offsets), "--yes")
    assert ran.exit_code == 0, ran.stderr
    for topic, original in zip((CHAT_REQUESTS, CONVERSATIONS), originals, strict=True):
        (back,) = in_workspace(read(kafka, topic), chat)
        assert (back.key.decode(), back.value) == (original.key, original.value)
        assert list(back.headers) == original.headers
        assert back.partition == partition_of(topic, chat.workspace_id, original.key)


def test_a_retry_asks_first_and_no_changes_nothing(kafka: KafkaConnection, rondo: Rondo) -> None:
    chat = fresh_chat()
    offset = bury(kafka, record_of(chat.envelopes[0]))
    ran = rondo("dead-letters", "retry", str(offset), input="n\n")
    assert ran.exit_code == 1
    assert "Put 1 back?" in ran.stdout
    assert in_workspace(read(kafka, CHAT_REQUESTS), chat) == []
    assert rondo("dead-letters", "retry", str(offset), input="y\n").exit_code == 0
    assert len(in_workspace(read(kafka, CHAT_REQUESTS), chat)) == 1


def test_what_cannot_go_back_is_refused_before_anything_is_put_back(
    kafka: KafkaConnection, rondo: Rondo
) -> None:
    whole, cut, stray = fresh_chat(), fresh_chat(), fresh_chat()
    good = bury(kafka, record_of(whole.envelopes[0]))
    too_large = bury(kafka, record_of(cut.envelopes[0]), rondo_cut_from="1200000")
    foreign = bury(kafka, record_of(stray.envelopes[0]), rondo_topic="somebody.elses")
    for offset, why in (
        (too_large, "was cut"),
        (foreign, "no topic of Rondo's"),
        (10**9, "has the offset"),
    ):
        ran = rondo("dead-letters", "retry", str(good), str(offset), "--yes")
        assert ran.exit_code == 1
        assert why in ran.stderr
        assert len(ran.stderr.splitlines()) == 1
    assert in_workspace(read(kafka, CHAT_REQUESTS), whole) == []


def test_a_retry_of_nothing_in_particular_is_wrong_use(kafka: KafkaConnection, rondo: Rondo) -> None:
    assert kafka.bootstrap
    ran = rondo("dead-letters", "retry")
    assert ran.exit_code == 2
    assert "name the offsets to put back, or --all of them" in ran.stderr
