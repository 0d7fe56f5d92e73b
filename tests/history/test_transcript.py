"""How a transcript reads: pure rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rondo_common.conversation import EndReason, FallbackReason, Page, Party, RescindReason
from rondo_common.events import (
    ChatEnded,
    ChatRequested,
    MessagePosted,
    MessagesRead,
    TranscriptRequested,
    TransferReturned,
)
from rondo_history.bootstrap import READINGS
from rondo_history.domain.fact import Fact
from rondo_history.domain.transcript import _SAYINGS, MessageLine, SystemLine, Transcript, transcript_of
from rondo_history.handlers import fact, read_transcript
from tests.history.conversations import EDSGER, GRACE, NOON, Conversation, asked
from tests.history.fake_archive import FakeArchive


def transcript(*facts: Fact) -> Transcript:
    found = transcript_of(facts)
    assert found is not None
    return found


def texts(*facts: Fact) -> list[str]:
    return [line.text for line in transcript(*facts).lines]


def test_a_whole_conversation_reads_from_request_to_end() -> None:
    chat = Conversation()
    assert texts(
        chat.requested(),
        chat.offered(),
        chat.accepted(),
        chat.said("Hello, what does it cost?"),
        chat.said("Nothing.", by="agent"),
        chat.ended(),
    ) == [
        "Ada asked for a chat.",
        "An agent was rung.",
        "Grace Hopper joined.",
        "Hello, what does it cost?",
        "Nothing.",
        "The visitor ended the chat.",
    ]


def test_lines_carry_what_the_live_streams_call_them_and_who_said_what() -> None:
    chat = Conversation()
    opening, accepted, said = transcript(chat.requested(), chat.accepted(), chat.said("Hello")).lines
    assert isinstance(opening, SystemLine)
    assert (opening.event, opening.at) == ("chat.requested", NOON)
    assert isinstance(accepted, SystemLine)
    assert accepted.event == "assignment.accepted"
    assert isinstance(said, MessageLine)
    assert (said.author.id, said.author.name) == ("u-17", "Ada")


def test_the_log_decides_the_order_and_clocks_do_not() -> None:
    chat = Conversation()
    request, first, second = chat.requested(), chat.said("first"), chat.said("second")
    early = Fact(second.id, second.workspace_id, NOON - timedelta(days=1), second.place, second.event)
    assert texts(early, first, request)[1:] == ["first", "second"]


def test_the_request_stands_first_whatever_its_offset_on_its_own_topic() -> None:
    chat = Conversation()
    said = chat.said("Hello")
    later_offset = chat.requested()
    assert texts(said, later_offset) == ["Ada asked for a chat.", "Hello"]


def test_while_the_request_itself_lags_the_offer_tells_what_was_asked() -> None:
    chat = Conversation()
    assert texts(chat.offered()) == ["Ada asked for a chat.", "An agent was rung."]


def test_nothing_is_known_until_a_fact_tells_what_was_asked() -> None:
    assert transcript_of([]) is None
    assert transcript_of([Conversation().said("Hello")]) is None


def test_agents_who_did_not_accept_are_not_named() -> None:
    chat = Conversation()
    facts = [
        chat.requested(),
        chat.offered(EDSGER),
        chat.declined(EDSGER),
        chat.offered(GRACE, attempt=2),
        chat.accepted(GRACE),
    ]
    found = transcript(*facts)
    assert found.agent_ids == (GRACE.id,)
    assert "edsger" not in found.model_dump_json().lower()
    assert texts(*facts)[2:4] == ["The agent declined.", "Another agent was rung."]


def test_a_missed_offer_says_so() -> None:
    chat = Conversation()
    assert texts(chat.requested(), chat.offered(), chat.missed())[-1] == "The agent did not answer in time."


@pytest.mark.parametrize("reason", FallbackReason)
def test_every_fallback_says_why_and_what_the_visitor_was_told(reason: FallbackReason) -> None:
    last = texts(Conversation().fell_back(reason))[-1]
    assert last.endswith("The visitor was told: Leave us a message.")
    assert reason not in last


@pytest.mark.parametrize(
    ("by", "text"),
    [
        ("visitor", "The visitor left before anybody joined."),
        ("key", "The request was withdrawn before anybody joined."),
    ],
)
def test_a_withdrawal_says_who_gave_up(by: str, text: str) -> None:
    chat = Conversation()
    party = Party.model_validate({"type": by, "id": "x"})
    assert texts(chat.requested(), chat.withdrawn(party))[-1] == text


@pytest.mark.parametrize(
    ("reason", "by", "text"),
    [
        (EndReason.VISITOR_ENDED, "visitor", "The visitor ended the chat."),
        (EndReason.VISITOR_ENDED, "key", "The website ended the chat for the visitor."),
        (EndReason.AGENT_ENDED, "agent", "Grace Hopper ended the chat."),
        (EndReason.IDLE, "system", "The chat ended, because nobody wrote any more."),
        (EndReason.AGENT_LOST, "system", "The chat ended, because its agent was lost."),
    ],
)
def test_an_end_says_who_ended_it(reason: EndReason, by: str, text: str) -> None:
    chat = Conversation()
    party = Party.model_validate({"type": by, "id": "x"})
    assert texts(chat.requested(), chat.accepted(), chat.ended(reason, party))[-1] == text


def test_a_chat_that_waited_and_was_handed_over_tells_each_step() -> None:
    chat = Conversation()
    facts = [
        *(chat.requested(), chat.queued(2), chat.offered(), chat.accepted()),
        *(chat.offered(EDSGER, attempt=2, transferred_by=GRACE), chat.missed(EDSGER, attempt=2)),
        chat.returned(),
        *(chat.offered(EDSGER, attempt=3, transferred_by=GRACE), chat.accepted(EDSGER, attempt=3)),
        *(chat.transferred(), chat.said("Hello again", by="agent"), chat.ended()),
    ]
    assert texts(*facts) == [
        "Ada asked for a chat.",
        "Everybody was busy. The visitor waits, at place 2 of the queue.",
        "An agent was rung.",
        "Grace Hopper joined.",
        "Grace Hopper is handing the chat over. Another agent was rung.",
        "The agent did not answer in time.",
        "Nobody took the chat over. Grace Hopper goes on.",
        "Grace Hopper is handing the chat over. Another agent was rung.",
        "Edsger Dijkstra joined.",
        "Grace Hopper handed the chat over to Edsger Dijkstra.",
        "Hello again",
        "The visitor ended the chat.",
    ]
    assert transcript(*facts).agent_ids == (GRACE.id, EDSGER.id)


@pytest.mark.parametrize("reason", RescindReason)
def test_an_offer_taken_back_does_not_say_what_is_with_the_agent(reason: RescindReason) -> None:
    chat = Conversation()
    found = transcript(chat.requested(), chat.offered(EDSGER), chat.rescinded(EDSGER, reason=reason))
    assert "edsger" not in found.model_dump_json().lower()
    assert not {"absent", "removed"} & set(found.lines[-1].text.split())


def test_every_event_that_happens_to_a_visitor_has_a_line() -> None:
    silent = {ChatRequested, MessagesRead, TranscriptRequested}  # The first is the opening line.
    facts = {each for each, reading in READINGS.items() if reading is fact} - silent
    assert facts == {*_SAYINGS, ChatEnded, TransferReturned, MessagePosted}


@given(limit=st.integers(1, 6), kinds=st.lists(st.sampled_from("vvaso"), max_size=14))
async def test_the_parts_of_a_transcript_make_the_whole(limit: int, kinds: list[str]) -> None:
    chat, archive = Conversation(), FakeArchive()
    tell: dict[str, Callable[[], Fact]] = {
        "v": lambda: chat.said("from the visitor"),
        "a": lambda: chat.said("from the agent", by="agent"),
        "s": chat.missed,
        "o": lambda: chat.offered(attempt=2),
    }
    facts = [chat.requested(), chat.offered(), chat.accepted(), *(tell[kind]() for kind in kinds)]
    await archive.keep(facts)
    lines: list[object] = []
    after: int | None = None
    while True:
        page = await read_transcript(chat.workspace_id, chat.id, archive, after=after, limit=limit)
        assert page is not None
        lines += page.transcript.lines
        if page.next_after is None:
            break
        after = page.next_after
    assert tuple(lines) == transcript(*facts).lines


def test_a_visitor_without_a_name_is_still_somebody() -> None:
    request = asked(first_name=None, page=Page(url="https://example.com/pricing"))
    assert texts(Conversation().requested(request)) == [
        "A visitor asked for a chat on https://example.com/pricing."
    ]


@given(st.lists(st.text(max_size=20).filter(lambda text: "\x00" not in text), max_size=8), st.randoms())
def test_the_same_facts_make_the_same_transcript_however_they_are_given(
    sayings: list[str], chance: st.DrawFn
) -> None:
    chat = Conversation()
    facts = [chat.requested(), chat.offered(), chat.accepted(), *map(chat.said, sayings), chat.ended()]
    shuffled = list(facts)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    found = transcript(*shuffled)
    assert found == transcript(*facts)
    assert [line.text for line in found.lines if line.type == "message"] == sayings


def test_a_transcript_tells_how_the_visitor_rated_it_last_and_every_time() -> None:
    chat = Conversation()
    facts = [chat.requested(), chat.accepted(), chat.ended()]
    assert transcript(*facts).rating is None
    rated = [chat.rated(2, "Slow"), chat.rated(5, "Better now")]
    told = transcript(*facts, *reversed(rated))
    assert told.rating is not None
    assert (told.rating.score, told.rating.comment) == (5, "Better now")
    assert [line.text for line in told.lines][-2:] == [
        "The visitor rated the chat 2 of 5.",
        "The visitor rated the chat 5 of 5.",
    ]
