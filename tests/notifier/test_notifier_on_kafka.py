"""The whole service on real servers: from both of its topics to the mailboxes."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis

from rondo_common.availability import ALWAYS
from rondo_common.conversation import AgentCard
from rondo_common.envelope import Envelope
from rondo_common.events import AgentAvailabilityChanged, ChatTransferred, Event
from rondo_common.ids import AgentId, ConversationId, EventId, WorkspaceId
from rondo_common.kafka.connection import KafkaConnection, make_producer
from rondo_common.kafka.publisher import KafkaPublisher, outgoing
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.mailbox import ENTRY_FIELD, OFFSET_FIELD, StreamEvent
from rondo_common.redis.keys import agent_mailbox_key, conversation_mailbox_key
from rondo_common.topics import TOPICS
from rondo_notifier.bootstrap import run
from rondo_notifier.settings import NotifierSettings
from tests.router.provisioned import NOON

DEADLINE_S = 60.0
POLL_S = 0.05
GRACE = AgentCard(id=AgentId("grace"), name="Grace")
BOB = AgentCard(id=AgentId("bob"), name="Bob")


@asynccontextmanager
async def notifier(kafka_bootstrap: str, redis_url: str) -> AsyncIterator[None]:
    """The service, stopped in order at the end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = NotifierSettings(kafka_bootstrap=kafka_bootstrap, redis_url=redis_url, http_port=port)
    stop = asyncio.Event()
    running = asyncio.create_task(run(settings, stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def tell(kafka: KafkaConnection, workspace_id: WorkspaceId, events: list[tuple[str, Event]]) -> None:
    """Publish events, each under its key."""
    publisher = KafkaPublisher(
        lambda: make_producer(kafka, request_timeout_ms=60_000), deadline_s=DEADLINE_S
    )
    await publisher.publish(
        [
            outgoing(Envelope(EventId(uuid.uuid4().hex), "/tests", NOON, workspace_id, event), key)
            for key, event in events
        ]
    )
    await publisher.stop()


async def entries(redis: Redis, mailbox: str, count: int) -> list[dict[str, str]]:
    """What is in a mailbox, once there are that many entries."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            found: Any = await redis.xrange(mailbox)
            if len(found) >= count:
                return [fields for _, fields in found]
            await asyncio.sleep(POLL_S)


async def test_what_both_topics_say_of_an_agent_is_in_their_mailbox(
    kafka_bootstrap: str, redis_url: str, redis: Redis
) -> None:
    kafka = KafkaConnection(kafka_bootstrap, client_id="notifier-tests")
    await create_topics(kafka, TOPICS, replication_factor=1)
    workspace_id = WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")
    conversation_id = ConversationId(f"cnv_{uuid.uuid4().hex}")
    changed = AgentAvailabilityChanged(agent_id=BOB.id, availability=ALWAYS)
    transferred = ChatTransferred(conversation_id=conversation_id, from_agent=GRACE, to_agent=BOB)
    async with notifier(kafka_bootstrap, redis_url):
        await tell(kafka, workspace_id, [(BOB.id, changed), (conversation_id, transferred)])
        (graces,) = await entries(redis, agent_mailbox_key(workspace_id, GRACE.id), 1)
        (public,) = await entries(redis, conversation_mailbox_key(workspace_id, conversation_id), 1)
        bobs = await entries(redis, agent_mailbox_key(workspace_id, BOB.id), 2)
    by_type = {StreamEvent.model_validate_json(each[ENTRY_FIELD]).type: each for each in bobs}
    assert set(by_type) == {"agent.availability_changed", "conversation.transferred"}
    assert by_type["conversation.transferred"] == public == graces
    assert OFFSET_FIELD in public
    told = StreamEvent.model_validate_json(by_type["agent.availability_changed"][ENTRY_FIELD])
    assert told.data == ALWAYS.model_dump(mode="json")
    assert told.conversation_id is None
    assert OFFSET_FIELD not in by_type["agent.availability_changed"]
