"""The page "build your own monitor": its program runs as it stands there."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from docs import generate
from rondo_common.envelope import Envelope
from rondo_common.events import EVENT_TYPES
from rondo_common.ids import WorkspaceId, new_event_id
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.group import make_publisher
from rondo_common.kafka.publisher import outgoing
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.topics import CONVERSATIONS, TOPICS

PAGE = generate.ROOT / "docs/operations/monitor.md"
LINES_MAX = 10
DEADLINE_S = 60.0


def _program() -> str:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(program)


def test_the_monitor_has_ten_lines() -> None:
    assert len([line for line in _program().splitlines() if line.strip()]) <= LINES_MAX


def test_the_page_names_every_topic_that_is_for_readers() -> None:
    named = set(re.findall(r"^\| `(rondo\.[a-z.-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert named == {topic.name for topic in TOPICS if not topic.internal}


async def test_the_monitor_tells_what_happens(kafka_bootstrap: str, tmp_path: Path) -> None:
    connection = KafkaConnection(kafka_bootstrap, client_id="monitor-tests")
    await create_topics(connection, TOPICS, replication_factor=1)
    name = "rondo.assignment.accepted.v1"
    example = json.loads((generate.ROOT / f"tests/schemas/{name}.json").read_text(encoding="utf-8"))
    own = example | {"conversation_id": f"cnv_{new_event_id()}"}
    event = EVENT_TYPES[name].model_validate(own)
    assert event.TOPIC is CONVERSATIONS
    envelope = Envelope(new_event_id(), "/rondo/router", datetime.now(UTC), WorkspaceId("monitored"), event)
    publisher = make_publisher(connection)
    await publisher.publish([outgoing(envelope, "monitored")])
    await publisher.stop()

    program = tmp_path / "monitor.py"
    program.write_text(_program(), encoding="utf-8")
    monitor = await asyncio.create_subprocess_exec(
        sys.executable,
        "-u",
        str(program),
        env={**os.environ, "RONDO_KAFKA_BOOTSTRAP": kafka_bootstrap},
        stdout=asyncio.subprocess.PIPE,
        limit=1_000_000,
    )
    assert monitor.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE_S):
            while own["conversation_id"] not in (line := (await monitor.stdout.readline()).decode()):
                assert line, "the monitor ended"
    finally:
        monitor.kill()
        await monitor.communicate()
    happened, conversation, event_type, value = line.rstrip().split(" ", 3)
    assert datetime.fromisoformat(happened) == envelope.time
    assert (conversation, event_type) == (own["conversation_id"], name)
    assert value == str(own)
