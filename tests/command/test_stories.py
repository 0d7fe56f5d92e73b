"""``rondo tail`` and ``rondo show``: stories from the topics."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from rondo_command.failures import WrongUse
from rondo_command.moments import parse_since
from rondo_command.show import begun_after
from rondo_command.story import agents_in, sentence
from rondo_common.conversation import AgentCard, Party
from rondo_common.events import EVENT_TYPES, ChatTransferred, ConversationEvent, EndChat
from rondo_common.ids import AgentId, ConversationId, WorkspaceId, new_conversation_id
from rondo_common.kafka.connection import KafkaConnection
from tests.command.conftest import Rondo, publish, record_of
from tests.history.live_chats import ToldChat
from tests.schemas.test_golden_events import EXAMPLES

NOW = datetime.now(UTC)


def fresh_chat() -> ToldChat:
    began = datetime.now(UTC) - timedelta(seconds=30)
    return ToldChat(WorkspaceId(f"ws-{uuid.uuid4().hex}"), began)


def whole_chat() -> ToldChat:
    chat = fresh_chat()
    at = chat.request.requested_at
    seconds = [at + timedelta(seconds=each) for each in (1, 2, 3, 14)]
    return chat.offered(seconds[0]).declined(seconds[1]).offered(seconds[2], attempt=2).ended(seconds[3])


def test_show_tells_a_conversations_whole_story_in_order_and_each_event_once(
    kafka: KafkaConnection, rondo: Rondo
) -> None:
    chat = whole_chat()
    publish(kafka, [record_of(each) for each in (*chat.envelopes, *chat.envelopes[:3])])
    shown = rondo("show", chat.id)
    assert shown.exit_code == 0, shown.stderr
    told = [line for line in shown.stdout.splitlines() if " s  " in line]
    expected = (
        "Ada asks for a chat",
        "offered to Grace",
        "grace declined",
        "attempt 2",
        "over: visitor ended",
    )
    assert len(told) == len(expected)
    for line, words in zip(told, expected, strict=True):
        assert words in line
    assert "+1.000 s" in told[1]
    assert "attempts left: 0; then: nothing" in shown.stdout
    assert "over; 5 events in 14.0 s" in shown.stdout


def test_show_says_so_when_there_is_no_such_conversation(kafka: KafkaConnection, rondo: Rondo) -> None:
    missing = new_conversation_id(NOW)
    shown = rondo("show", missing)
    assert shown.exit_code == 1
    assert shown.stderr.startswith(f"rondo: there is no conversation {missing} on the topics")
    assert len(shown.stderr.splitlines()) == 1
    assert kafka.bootstrap


def test_tail_tells_what_happened_since_filtered(kafka: KafkaConnection, rondo: Rondo) -> None:
    chat, other = whole_chat(), whole_chat()
    publish(kafka, [record_of(each) for each in (*chat.envelopes, *other.envelopes, *chat.envelopes)])
    whole = rondo("tail", "--since", "2m", "--no-follow", "--workspace", chat.workspace_id)
    assert whole.exit_code == 0, whole.stderr
    lines = whole.stdout.splitlines()
    assert len(lines) == len(chat.envelopes)
    assert all(chat.workspace_id in line for line in lines)
    one = rondo(
        "tail", "--since", "2m", "--no-follow", "--conversation", other.id, "--agent", "grace", "--why"
    )
    assert "asks for a chat" not in one.stdout
    assert one.stdout.count("offered to Grace Hopper") == 2
    assert one.stdout.count("stage round robin") == 2
    nobody = rondo("tail", "--since", "2m", "--no-follow", "--conversation", other.id, "--agent", "edsger")
    assert nobody.stdout == ""


def test_tail_without_since_begins_now(kafka: KafkaConnection, rondo: Rondo) -> None:
    chat = whole_chat()
    publish(kafka, [record_of(each) for each in chat.envelopes])
    told = rondo("tail", "--no-follow", "--workspace", chat.workspace_id)
    assert (told.exit_code, told.stdout) == (0, "")


@pytest.mark.parametrize("command", [["tail"], ["show", "cnv_1"], ["dead-letters", "list"]])
def test_without_an_address_a_command_says_which_variable_to_set(
    rondo: Rondo, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.delenv("RONDO_KAFKA_BOOTSTRAP", raising=False)
    ran = rondo(*command)
    assert ran.exit_code == 2
    assert ran.stderr.startswith("rondo: RONDO_KAFKA_BOOTSTRAP is not set: `source .local/env`")
    assert len(ran.stderr.splitlines()) == 1


def test_a_kafka_that_is_not_there_is_one_clear_line(rondo: Rondo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RONDO_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    ran = rondo("tail", "--no-follow")
    assert ran.exit_code == 1
    assert ran.stderr.startswith("rondo: kafka is out of reach")
    assert len(ran.stderr.splitlines()) == 1


def test_a_since_that_is_no_time_is_wrong_use(rondo: Rondo) -> None:
    ran = rondo("tail", "--since", "yesterday")
    assert ran.exit_code == 2
    assert "'yesterday' is no time" in ran.stderr


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("10m", NOW - timedelta(minutes=10)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-01-31T12:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_a_time_is_given_as_so_long_ago_or_as_a_date(text: str, moment: datetime) -> None:
    assert parse_since(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "10", "m", "10w", "999999999d", "-5m"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(WrongUse, match="is no time"):
        parse_since(text, NOW)


def test_a_conversations_id_says_when_to_begin_reading() -> None:
    begin = begun_after(new_conversation_id(NOW))
    assert begin is not None
    assert timedelta(0) < NOW - begin < timedelta(minutes=6)
    assert begun_after("cnv_of-my-own") is None


@pytest.mark.parametrize(
    "event_type",
    sorted(each for each, model in EVENT_TYPES.items() if issubclass(model, ConversationEvent)),
)
def test_every_event_of_a_conversation_has_a_sentence_of_its_own(event_type: str) -> None:
    example = (EXAMPLES / f"{event_type}.json").read_text(encoding="utf-8")
    told = sentence(EVENT_TYPES[event_type].model_validate_json(example))
    assert told != event_type.removeprefix("rondo.")
    assert "\n" not in told


def test_what_people_wrote_cannot_colour_the_terminal() -> None:
    chat = fresh_chat()
    event = chat.envelopes[0].event
    visitor = chat.request.visitor.model_copy(update={"first_name": "[red]Eve[/red]"})
    said = sentence(
        event.model_copy(update={"request": chat.request.model_copy(update={"visitor": visitor})})
    )
    assert r"\[red]Eve\[/red]" in said


def test_an_event_is_about_every_agent_it_names() -> None:
    grace, edsger = AgentCard(id=AgentId("grace"), name="G"), AgentCard(id=AgentId("edsger"), name="E")
    cnv = ConversationId("cnv_1")
    assert agents_in(ChatTransferred(conversation_id=cnv, from_agent=grace, to_agent=edsger)) == {
        "grace",
        "edsger",
    }
    assert agents_in(EndChat(conversation_id=cnv, by=Party(type="agent", id="grace"))) == {"grace"}
    assert agents_in(EndChat(conversation_id=cnv, by=Party(type="visitor", id="grace"))) == set()
