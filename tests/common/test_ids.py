"""Ids: derived ones agree everywhere, drawn ones sort by time, all fit the pattern."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from rondo_common.ids import (
    ID_PATTERN,
    ExternalId,
    WorkspaceId,
    derived_event_id,
    keyed_conversation_id,
    new_api_key_id,
    new_conversation_id,
    new_event_id,
    new_message_id,
)

ACME = WorkspaceId("acme")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone itself
    max_value=datetime(2999, 1, 1),  # noqa: DTZ001 - the same
    timezones=st.just(UTC),
)


def test_a_derived_id_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert derived_event_id("cause", "0/offered") == "623c861b-dc90-5a80-8794-3d6973b1f33b"


@given(st.text(), st.text(), st.text())
def test_another_cause_or_step_is_another_event(cause: str, step: str, other: str) -> None:
    if other != step:
        assert derived_event_id(cause, step) != derived_event_id(cause, other)
    if other != cause and "/" not in cause + step + other:
        assert derived_event_id(cause, step) != derived_event_id(other, step)


def test_drawn_ids_differ() -> None:
    assert len({new_event_id() for _ in range(100)}) == 100
    assert len({new_conversation_id(NOON) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("make", "prefix"),
    [
        (new_conversation_id, "cnv_"),
        (new_message_id, "msg_"),
        (new_api_key_id, "key_"),
    ],
)
def test_drawn_ids_say_what_they_name_and_sort_by_time(make: object, prefix: str) -> None:
    assert callable(make)
    ids = [make(NOON + timedelta(milliseconds=passed)) for passed in range(20)]
    assert ids == sorted(ids)
    assert all(each.startswith(prefix) and re.fullmatch(ID_PATTERN, each) for each in ids)


@given(st.text(min_size=1, max_size=64), MOMENTS, st.integers(0, 86_399))
def test_a_key_stands_for_one_conversation_all_day(key: str, day: datetime, seconds: int) -> None:
    morning = day.replace(hour=0, minute=0, second=0, microsecond=0)
    id_then = keyed_conversation_id(ACME, key, morning)
    assert keyed_conversation_id(ACME, key, morning + timedelta(seconds=seconds)) == id_then
    assert re.fullmatch(ID_PATTERN, id_then)


@given(st.text(max_size=64), st.text(max_size=64))
def test_other_keys_days_and_workspaces_are_other_conversations(key: str, other: str) -> None:
    found = {
        keyed_conversation_id(ACME, key, NOON),
        keyed_conversation_id(ACME, key, NOON + timedelta(days=1)),
        keyed_conversation_id(WorkspaceId("other"), key, NOON),
    }
    assert len(found) == 3
    assert (keyed_conversation_id(ACME, other, NOON) in found) == (other == key)


def test_the_day_of_a_key_is_the_day_in_utc() -> None:
    late = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    assert keyed_conversation_id(ACME, "k", late.astimezone(timezone(timedelta(hours=2)))) == (
        keyed_conversation_id(ACME, "k", NOON)
    )


@pytest.mark.parametrize("fits", ["a", "A-b_9", "x" * 64])
def test_an_integrators_id_may_be(fits: str) -> None:
    assert TypeAdapter(ExternalId).validate_python(fits) == fits


@pytest.mark.parametrize("wrong", ["", "x" * 65, "a b", "å", "a/b", "a\n", "a\x00", "{a}", "a:b"])
def test_an_integrators_id_may_not_be(wrong: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ExternalId).validate_python(wrong)
