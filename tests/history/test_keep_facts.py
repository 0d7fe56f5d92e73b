"""What is kept of the log, and what is refused."""

from __future__ import annotations

from typing import cast

import pytest

from rondo_common.envelope import Envelope
from rondo_common.errors import Rejected, Unavailable
from rondo_common.events import EVENT_TYPES, AcceptChat, Event, MessagePosted
from rondo_common.ids import AgentId
from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS
from rondo_history.adapters.postgres_archive import PostgresArchive
from rondo_history.bootstrap import READINGS
from rondo_history.domain.fact import Fact, Place
from rondo_history.handlers import Logged, fact, keep_facts, no_fact
from tests.history.conversations import PARTITION, Conversation
from tests.history.fake_archive import FakeArchive


def logged(chat: Conversation, told: Fact) -> Logged:
    envelope = Envelope(told.id, "/rondo/tests", told.occurred_at, chat.workspace_id, told.event)
    return cast("Envelope[Event]", envelope), told.place


def with_nul(chat: Conversation) -> Logged:
    """A message that no gateway lets through."""
    event = cast("MessagePosted", chat.said("?").event)
    message = event.message.model_copy(update={"text": "before\x00after"})
    envelope = chat.envelope(event.model_copy(update={"message": message}))
    return cast("Envelope[Event]", envelope), Place(CONVERSATIONS.name, PARTITION, 99)


def test_every_event_of_the_two_topics_is_either_kept_or_passed_by_on_purpose() -> None:
    on_topics = {each for each in EVENT_TYPES.values() if each.TOPIC in {CHAT_REQUESTS, CONVERSATIONS}}
    assert set(READINGS) == on_topics


def test_commands_are_no_facts_and_everything_that_happened_is() -> None:
    commands = {each.__name__ for each, reading in READINGS.items() if reading is no_fact}
    assert commands == {
        "AcceptChat",
        "DeclineChat",
        "TakeChat",
        "WithdrawChat",
        "EndChat",
        "TransferChat",
        "AcknowledgeAlert",
        "VisitorErased",
        "ConversationErased",
        "ConnectAgent",
        "PlanRoute",
    }
    assert {reading for each, reading in READINGS.items() if each.__name__ not in commands} == {fact}


async def test_facts_are_kept_and_commands_are_passed_by() -> None:
    archive, chat = FakeArchive(), Conversation()
    asked, accepted = chat.requested(), chat.accepted()
    command = chat.envelope(AcceptChat(conversation_id=chat.id, agent_id=AgentId("grace")))
    batch = [
        logged(chat, asked),
        (cast("Envelope[Event]", command), Place(CHAT_REQUESTS.name, PARTITION, 2)),
        logged(chat, accepted),
    ]
    await keep_facts(batch, READINGS, archive)
    assert list(archive.kept.values()) == [asked, accepted]


async def test_a_record_with_the_character_nul_is_rejected_by_its_place_in_the_batch() -> None:
    archive, chat = FakeArchive(), Conversation()
    batch = [logged(chat, chat.requested()), logged(chat, chat.said("fine")), with_nul(chat)]
    with pytest.raises(Rejected, match=r"U\+0000") as refusal:
        await keep_facts(batch, READINGS, archive)
    assert refusal.value.index == 2
    assert archive.kept == {}


async def test_a_backslash_that_somebody_wrote_is_no_nul(postgres_archive: PostgresArchive) -> None:
    chat = Conversation()
    said = [chat.said(text) for text in (r"\u0000", r"\\u0000", r"\\\u0000", "\\")]
    await keep_facts([logged(chat, each) for each in said], READINGS, postgres_archive)
    found = await postgres_archive.messages_of(chat.workspace_id, chat.id, after=-1, limit=10)
    assert found == said


async def test_nothing_to_keep_asks_nothing_of_the_archive() -> None:
    archive = FakeArchive()
    archive.down = True
    await keep_facts([], READINGS, archive)


async def test_an_archive_that_is_down_makes_the_batch_wait() -> None:
    archive, chat = FakeArchive(), Conversation()
    archive.down = True
    with pytest.raises(Unavailable):
        await keep_facts([logged(chat, chat.requested())], READINGS, archive)
