"""Dead letters: a record as it was, with why and where, whatever it was."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka import TopicPartition

from rondo_common.kafka.dead_letters import VALUE_BYTES_MAX, KafkaDeadLetters
from rondo_common.kafka.publisher import Outgoing, Written
from tests.common.consumed import raw


class Notebook:
    """A publisher that writes nothing down but what it was given."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []

    async def publish(self, records: Sequence[Outgoing]) -> list[Written]:
        self.records.extend(records)
        return [Written(0, 0) for _ in records]


PARTITION = TopicPartition("rondo.conversations", 3)


async def test_a_dead_letter_is_the_record_with_why_and_where() -> None:
    notebook = Notebook()
    record = raw(PARTITION, 7)
    await KafkaDeadLetters(notebook, reader="rondo.router").bury(record, "it says nonsense")
    (letter,) = notebook.records
    headers = dict(letter.headers)
    assert letter.value == record.value
    assert headers["rondo_reason"] == b"it says nonsense"
    assert headers["rondo_topic"] == b"rondo.conversations"
    assert (headers["rondo_partition"], headers["rondo_offset"]) == (b"3", b"7")
    assert headers["rondo_reader"] == b"rondo.router"


async def test_a_value_too_large_to_be_written_with_its_reason_is_cut_and_says_so() -> None:
    notebook = Notebook()
    record = raw(PARTITION, 7, value=b"x" * (VALUE_BYTES_MAX + 1))
    await KafkaDeadLetters(notebook, reader="rondo.router").bury(record, "too long")
    (letter,) = notebook.records
    assert len(letter.value or b"") == VALUE_BYTES_MAX
    assert dict(letter.headers)["rondo_cut_from"] == str(VALUE_BYTES_MAX + 1).encode()


async def test_a_key_that_is_no_text_survives() -> None:
    notebook = Notebook()
    record = raw(PARTITION, 7, key=b"\xff\x00key")
    await KafkaDeadLetters(notebook, reader="rondo.router").bury(record, "strange")
    assert notebook.records[0].key.encode(errors="surrogateescape") == b"\xff\x00key"
