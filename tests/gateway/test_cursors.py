"""Where a stream may go on, and where it may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rondo_gateway.domain.cursors import ORIGIN, Cursor, Extent, can_resume, parse_cursor

parts = st.integers(0, 2**64 - 1)
cursors = st.builds(Cursor, parts, parts)


@given(cursors)
def test_a_cursor_reads_as_it_was_written(cursor: Cursor) -> None:
    assert parse_cursor(str(cursor)) == cursor


@given(st.text(max_size=30))
def test_whatever_is_no_cursor_is_refused(text: str) -> None:
    try:
        cursor = parse_cursor(text)
    except ValueError:
        return
    assert max(cursor.milliseconds, cursor.number) < 2**64


@pytest.mark.parametrize(
    "text", ["", "1", "1-", "-1", "1-1-1", "1-1\n", "\u0661-\u0661", "+1-1", f"{2**64}-0", "$", "0-x"]
)
def test_near_misses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        parse_cursor(text)


@given(cursors.filter(lambda cursor: cursor > ORIGIN))
def test_right_before_a_cursor_there_is_nothing_in_between(cursor: Cursor) -> None:
    before = cursor.before()
    assert before < cursor
    after = Cursor(before.milliseconds, before.number + 1)
    assert after == cursor or (after.number == 2**64 and cursor.number == 0)


@given(st.lists(parts.map(lambda each: Cursor(each + 1, 0)), min_size=1, unique=True), st.data())
def test_every_entry_kept_can_be_gone_on_from(entries: list[Cursor], data: st.DataObject) -> None:
    entries.sort()
    is_trimmed = data.draw(st.booleans())
    extent = Extent(entries[0], entries[-1], is_trimmed)
    assert can_resume(data.draw(st.sampled_from(entries)), extent)


def test_from_the_origin_one_goes_on_unless_something_was_let_go() -> None:
    assert can_resume(ORIGIN, None)
    assert can_resume(ORIGIN, Extent(Cursor(5, 0), Cursor(9, 0), is_trimmed=False))
    assert not can_resume(ORIGIN, Extent(Cursor(5, 0), Cursor(9, 0), is_trimmed=True))


def test_a_cursor_older_than_what_is_kept_cannot_be_gone_on_from() -> None:
    assert not can_resume(Cursor(4, 0), Extent(Cursor(5, 0), Cursor(9, 0), is_trimmed=True))


def test_a_cursor_of_an_earlier_mailbox_cannot_be_gone_on_from() -> None:
    assert not can_resume(Cursor(4, 0), None)
    assert not can_resume(Cursor(4, 0), Extent(Cursor(5, 0), Cursor(9, 0), is_trimmed=False))
    assert not can_resume(Cursor(10, 0), Extent(Cursor(5, 0), Cursor(9, 0), is_trimmed=False))
