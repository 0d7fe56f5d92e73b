"""Availability by schedule and toggle, on tables and against a calculation minute by minute."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rondo_common.availability import (
    Availability,
    Schedule,
    ScheduleBlock,
    Toggle,
    availability_at,
    holds_until,
    schedule_spans,
)

MINUTE = timedelta(minutes=1)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def schedule(*blocks: str) -> Schedule:
    """``schedule("mon 09:00-12:30", ...)``"""
    return tuple(_block(*block.split()) for block in blocks)


def _block(weekday: str, times: str) -> ScheduleBlock:
    begins, ends = times.split("-")
    return ScheduleBlock.model_validate({"weekday": weekday, "from": begins, "to": ends})


def at(text: str) -> datetime:
    """``at("2026-03-29 01:00")`` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


OFFICE = schedule(*(f"{day} {times}" for day in DAYS[:5] for times in ("09:00-12:30", "13:30-17:00")))


@pytest.mark.parametrize(
    ("blocks", "zone", "day", "spans"),
    [
        # An ordinary day, in winter and in summer.
        (OFFICE, "Europe/Stockholm", "2026-01-15", ["08:00-11:30", "12:30-16:00"]),
        (OFFICE, "Europe/Stockholm", "2026-07-15", ["07:00-10:30", "11:30-15:00"]),
        (OFFICE, "America/New_York", "2026-01-15", ["14:00-17:30", "18:30-22:00"]),
        (OFFICE, "Asia/Kathmandu", "2026-01-15", ["03:15-06:45", "07:45-11:15"]),
        (OFFICE, None, "2026-01-15", ["09:00-12:30", "13:30-17:00"]),
        # Stockholm leaves out 02:00 to 03:00 on the last Sunday of March.
        (schedule("sun 02:00-03:00"), "Europe/Stockholm", "2026-03-29", []),
        (schedule("sun 02:15-02:45"), "Europe/Stockholm", "2026-03-29", []),
        (schedule("sun 02:30-04:00"), "Europe/Stockholm", "2026-03-29", ["01:00-02:00"]),
        (schedule("sun 01:00-02:30"), "Europe/Stockholm", "2026-03-29", ["00:00-01:00"]),
        (schedule("sun 01:00-04:00"), "Europe/Stockholm", "2026-03-29", ["00:00-02:00"]),
        # ... and has it twice on the last Sunday of October.
        (schedule("sun 02:15-02:45"), "Europe/Stockholm", "2026-10-25", ["00:15-00:45", "01:15-01:45"]),
        (schedule("sun 02:00-03:00"), "Europe/Stockholm", "2026-10-25", ["00:00-02:00"]),
        (schedule("sun 01:00-02:30"), "Europe/Stockholm", "2026-10-25", ["00:00-00:30", "01:00-01:30"]),
        # Lord Howe puts its clock on by half an hour only: 02:00 to 02:30, and back from 02:00 to 01:30.
        (schedule("sun 02:00-03:00"), "Australia/Lord_Howe", "2026-10-03", ["15:30-16:00"]),
        (schedule("sun 01:30-02:00"), "Australia/Lord_Howe", "2026-04-04", ["14:30-15:30"]),
        # Santiago jumps over midnight, and has the hour before midnight twice.
        (schedule("sun 00:00-00:45"), "America/Santiago", "2026-09-06", []),
        (schedule("sun 00:30-01:30"), "America/Santiago", "2026-09-06", ["04:00-04:30"]),
        (schedule("sat 23:15-23:30"), "America/Santiago", "2026-04-05", ["02:15-02:30", "03:15-03:30"]),
        # Apia went from Thursday, 29 December 2011, to Saturday.
        (schedule("fri 00:00-00:00"), "Pacific/Apia", "2011-12-30", []),
        (
            schedule("thu 20:00-00:00"),
            "Pacific/Apia",
            "2011-12-30",
            ["06:00-10:00"],
        ),
        (schedule("thu 20:00-06:00", "sat 00:00-02:00"), "Pacific/Apia", "2011-12-30", ["06:00-12:00"]),
        # Over midnight, a whole day, adjoining and overlapping blocks.
        (schedule("thu 22:00-06:00"), None, "2026-01-16", ["00:00-06:00"]),
        (schedule("thu 12:00-12:00"), None, "2026-01-15", ["12:00-24:00"]),
        (schedule("sun 22:00-06:00"), None, "2026-01-19", ["00:00-06:00"]),
        (schedule("thu 09:00-10:00", "thu 10:00-11:00"), None, "2026-01-15", ["09:00-11:00"]),
        (schedule("thu 09:00-12:00", "thu 10:00-11:00"), None, "2026-01-15", ["09:00-12:00"]),
        (schedule(), None, "2026-01-15", []),
        (None, None, "2026-01-15", ["00:00-24:00"]),
    ],
)
def test_a_schedule_is_read_from_the_clock_on_the_wall(
    blocks: Schedule | None, zone: str | None, day: str, spans: list[str]
) -> None:
    start = at(f"{day} 00:00")
    found = schedule_spans(blocks, zone, start, start + timedelta(days=1))
    assert [f"{_clock(begins, start)}-{_clock(ends, start)}" for begins, ends in found] == spans


def _clock(instant: datetime, day: datetime) -> str:
    minutes = (instant - day) // MINUTE
    return f"{minutes // 60:02}:{minutes % 60:02}"


def test_spans_are_clipped_to_what_was_asked_for_and_given_in_utc() -> None:
    start = datetime(2026, 1, 15, 10, tzinfo=ZoneInfo("Europe/Stockholm"))
    (span,) = schedule_spans(OFFICE, "Europe/Stockholm", start, start + timedelta(hours=1))
    assert span == (at("2026-01-15 09:00"), at("2026-01-15 10:00"))
    assert span[0].tzinfo is UTC
    assert schedule_spans(None, None, start, start) == []


@pytest.mark.parametrize(
    ("blocks", "zone", "now", "is_available", "change"),
    [
        (None, "Europe/Stockholm", "2026-01-15 12:00", True, None),
        (schedule(), "Europe/Stockholm", "2026-01-15 12:00", False, None),
        (
            schedule(*(f"{day} 00:00-00:00" for day in DAYS)),
            "Asia/Kathmandu",
            "2026-01-15 12:00",
            True,
            None,
        ),
        (OFFICE, "Europe/Stockholm", "2026-01-15 08:00", True, "2026-01-15 11:30"),
        (OFFICE, "Europe/Stockholm", "2026-01-15 11:30", False, "2026-01-15 12:30"),
        # From Friday evening to Monday, while the clock changes.
        (OFFICE, "Europe/Stockholm", "2026-03-27 16:00", False, "2026-03-30 07:00"),
        (OFFICE, "America/New_York", "2026-10-30 21:00", False, "2026-11-02 14:00"),
        # A block that falls into the gap: a week later it happens.
        (schedule("sun 02:00-03:00"), "Europe/Stockholm", "2026-03-22 02:00", False, "2026-04-05 00:00"),
        # Its complement is one span over the gap, and ends a week later.
        (
            schedule(*(f"{day} 00:00-00:00" for day in DAYS[:6]), "sun 03:00-02:00", "sun 00:00-02:00"),
            "Europe/Stockholm",
            "2026-03-22 02:00",
            True,
            "2026-04-05 00:00",
        ),
        (schedule("fri 09:00-10:00"), "Pacific/Apia", "2011-12-23 20:00", False, "2012-01-05 19:00"),
    ],
)
def test_the_schedule_tells_what_comes_next(
    blocks: Schedule | None, zone: str, now: str, *, is_available: bool, change: str | None
) -> None:
    expected = None if change is None else at(change)
    assert availability_at(blocks, zone, None, at(now)) == Availability(
        available=is_available, source="schedule", until=expected, next_change_at=expected
    )


@pytest.mark.parametrize(
    ("blocks", "zone", "says", "set_at", "end"),
    [
        # Without blocks: "available" ends at midnight in the zone, "unavailable" not by itself.
        (None, None, True, "2026-01-15 12:00", "2026-01-16 00:00"),
        (None, "Asia/Kathmandu", True, "2026-01-15 12:00", "2026-01-15 18:15"),
        (schedule(), "Asia/Kathmandu", True, "2026-01-15 18:15", "2026-01-16 18:15"),
        (None, "Asia/Kathmandu", False, "2026-01-15 12:00", None),
        (schedule(), "Asia/Kathmandu", False, "2026-01-15 12:00", None),
        # The next block's start comes first, also when it adjoins the one before.
        (OFFICE, "Europe/Stockholm", True, "2026-01-15 07:00", "2026-01-15 08:00"),
        (OFFICE, "Europe/Stockholm", False, "2026-01-15 09:00", "2026-01-15 12:30"),
        (OFFICE, "Europe/Stockholm", False, "2026-01-16 15:00", "2026-01-19 08:00"),
        (OFFICE, "Europe/Stockholm", True, "2026-01-16 16:00", "2026-01-16 23:00"),
        (
            schedule("thu 09:00-10:00", "thu 10:00-11:00"),
            None,
            False,
            "2026-01-15 09:00",
            "2026-01-15 10:00",
        ),
        (
            schedule("thu 09:00-12:00", "thu 10:00-11:00"),
            None,
            False,
            "2026-01-15 09:30",
            "2026-01-15 10:00",
        ),
        (schedule("thu 00:00-00:00"), None, False, "2026-01-15 00:00", "2026-01-22 00:00"),
        # A start in the gap is passed at its end; one in the fold is reached once, at first.
        (schedule("sun 02:30-04:00"), "Europe/Stockholm", False, "2026-03-28 12:00", "2026-03-29 01:00"),
        (schedule("sun 02:30-02:45"), "Europe/Stockholm", False, "2026-03-28 12:00", "2026-03-29 01:00"),
        (schedule("sun 02:30-04:00"), "Europe/Stockholm", False, "2026-10-24 12:00", "2026-10-25 00:30"),
        (schedule("sun 02:30-04:00"), "Europe/Stockholm", False, "2026-10-25 00:40", "2026-11-01 01:30"),
        # Midnight that is skipped, that comes late, and the day that was not.
        (None, "America/Santiago", True, "2026-09-05 12:00", "2026-09-06 04:00"),
        (None, "America/Santiago", True, "2026-04-05 02:30", "2026-04-05 04:00"),
        (None, "America/Santiago", True, "2026-04-05 03:30", "2026-04-05 04:00"),
        (None, "America/Havana", True, "2026-10-31 12:00", "2026-11-01 04:00"),
        (None, "America/Havana", True, "2026-11-01 04:30", "2026-11-02 05:00"),
        (None, "Pacific/Apia", True, "2011-12-29 20:00", "2011-12-30 10:00"),
        (schedule("fri 09:00-10:00"), "Pacific/Apia", False, "2011-12-29 20:00", "2011-12-30 10:00"),
    ],
)
def test_a_toggle_ends_at_the_next_block_or_at_midnight(
    blocks: Schedule | None, zone: str | None, set_at: str, end: str | None, *, says: bool
) -> None:
    toggle = Toggle(available=says, set_at=at(set_at))
    assert holds_until(toggle, blocks, zone) == (None if end is None else at(end))


def test_while_it_holds_the_toggle_overrides_both_ways() -> None:
    in_block, after_hours = at("2026-01-15 09:00"), at("2026-01-15 17:00")
    away = Toggle(available=False, set_at=in_block)
    back = Toggle(available=True, set_at=after_hours)
    assert availability_at(OFFICE, "Europe/Stockholm", away, in_block) == Availability(
        available=False,
        source="toggle",
        until=at("2026-01-15 12:30"),
        next_change_at=at("2026-01-15 12:30"),
    )
    assert availability_at(OFFICE, "Europe/Stockholm", back, after_hours) == Availability(
        available=True,
        source="toggle",
        until=at("2026-01-15 23:00"),
        next_change_at=at("2026-01-15 23:00"),
    )


def test_the_next_change_is_looked_for_beyond_the_toggles_end() -> None:
    early = Toggle(available=True, set_at=at("2026-01-15 07:00"))
    assert availability_at(OFFICE, "Europe/Stockholm", early, at("2026-01-15 07:00")) == Availability(
        available=True,
        source="toggle",
        until=at("2026-01-15 08:00"),
        next_change_at=at("2026-01-15 11:30"),
    )
    idle = Toggle(available=True, set_at=at("2026-01-15 07:00"))
    assert availability_at(None, None, idle, at("2026-01-15 07:00")) == Availability(
        available=True, source="toggle", until=at("2026-01-16 00:00"), next_change_at=None
    )
    off = Toggle(available=False, set_at=at("2026-01-15 07:00"))
    assert availability_at((), None, off, at("2026-01-15 07:00")) == Availability(
        available=False, source="toggle", until=None, next_change_at=None
    )


def test_a_toggle_that_has_ended_is_as_if_it_had_never_been() -> None:
    end = at("2026-01-15 12:30")
    away = Toggle(available=False, set_at=at("2026-01-15 09:00"))
    before = availability_at(OFFICE, "Europe/Stockholm", away, end - timedelta(microseconds=1))
    assert before.source == "toggle"
    without = availability_at(OFFICE, "Europe/Stockholm", None, end)
    assert availability_at(OFFICE, "Europe/Stockholm", away, end) == without


# --- against a calculation minute by minute ------------------------------------------------------

clock_times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
blocks_of_a_week = st.lists(
    st.builds("{} {}-{}".format, st.sampled_from(DAYS), clock_times, clock_times), max_size=4
).map(lambda blocks: schedule(*blocks))
CHANGES = (
    ("Europe/Stockholm", at("2026-03-29 01:00")),
    ("Europe/Stockholm", at("2026-10-25 01:00")),
    ("America/New_York", at("2026-03-08 07:00")),
    ("America/New_York", at("2026-11-01 06:00")),
    ("Australia/Lord_Howe", at("2026-10-03 15:30")),
    ("Australia/Lord_Howe", at("2026-04-04 15:00")),
    ("Asia/Kathmandu", at("2026-01-01 00:00")),
    ("America/Santiago", at("2026-09-06 04:00")),
    ("America/Santiago", at("2026-04-05 03:00")),
    ("America/Havana", at("2026-11-01 05:00")),
    ("Pacific/Apia", at("2011-12-30 10:00")),
)


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and an instant around a change of its clock."""
    zone, change = draw(st.sampled_from(CHANGES))
    return zone, change + draw(st.integers(-3 * 24 * 60, 24 * 60)) * MINUTE


def minutes_from(start: datetime, days: int) -> Iterator[datetime]:
    return (start + number * MINUTE for number in range(days * 24 * 60))


def is_inside(blocks: Schedule, wall: datetime) -> bool:
    """Whether a wall clock that reads ``wall`` stands inside one of the blocks."""
    today, yesterday = DAYS[wall.weekday()], DAYS[wall.weekday() - 1]
    time = f"{wall:%H:%M}"
    for block in blocks:
        is_over_midnight = block.to <= block.from_
        if block.weekday == today and block.from_ <= time and (time < block.to or is_over_midnight):
            return True
        if block.weekday == yesterday and is_over_midnight and time < block.to:
            return True
    return False


def end_minute_by_minute(toggle: Toggle, blocks: Schedule, zone: ZoneInfo) -> datetime | None:
    """When a toggle ends: watch the clock, from well before it was set to ten days after."""
    before = toggle.set_at - timedelta(days=3)
    latest = before.astimezone(zone).replace(tzinfo=None)
    set_on = toggle.set_at.astimezone(zone).date()
    for now in minutes_from(before + MINUTE, 13):
        wall = now.astimezone(zone).replace(tzinfo=None)
        if now > toggle.set_at and toggle.available and wall.date() > set_on:
            return now
        while latest < wall:  # Whatever the clock passes, minute by minute, also in a gap.
            latest += MINUTE
            starts = any(
                block.weekday == DAYS[latest.weekday()] and block.from_ == f"{latest:%H:%M}"
                for block in blocks
            )
            if starts and now > toggle.set_at:
                return now
    return None


@given(blocks_of_a_week, moments())
@settings(max_examples=60, deadline=None)
def test_spans_agree_with_every_minute(blocks: Schedule, moment: tuple[str, datetime]) -> None:
    zone, start = moment
    spans = schedule_spans(blocks, zone, start, start + timedelta(days=4))
    within = {now for begins, ends in spans for now in minutes_from(begins, 5) if now < ends}
    expected = {
        now
        for now in minutes_from(start, 4)
        if is_inside(blocks, now.astimezone(ZoneInfo(zone)).replace(tzinfo=None))
    }
    assert within == expected
    assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))


@given(blocks_of_a_week, moments(), st.booleans())
@example(schedule("sun 02:00-03:00"), ("Europe/Stockholm", at("2026-10-25 00:00")), False)
@settings(max_examples=60, deadline=None)
def test_a_toggles_end_agrees_with_every_minute(
    blocks: Schedule, moment: tuple[str, datetime], available: bool
) -> None:
    zone, set_at = moment
    toggle = Toggle(available=available, set_at=set_at)
    assert holds_until(toggle, blocks, zone) == end_minute_by_minute(toggle, blocks, ZoneInfo(zone))


@given(
    blocks_of_a_week,
    moments(),
    st.none() | st.tuples(st.booleans(), st.integers(0, 24 * 60)),
)
@settings(max_examples=60, deadline=None)
def test_what_comes_next_agrees_with_every_minute(
    blocks: Schedule, moment: tuple[str, datetime], switched: tuple[bool, int] | None
) -> None:
    zone, now = moment
    toggle = None
    end: datetime | None = now
    if switched is not None:
        toggle = Toggle(available=switched[0], set_at=now - switched[1] * MINUTE)
        end = end_minute_by_minute(toggle, blocks, ZoneInfo(zone))

    def is_available(instant: datetime) -> bool:
        if toggle is not None and (end is None or instant < end):
            return toggle.available
        return is_inside(blocks, instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None))

    present = is_available(now)
    change = next((each for each in minutes_from(now, 17) if is_available(each) != present), None)
    found = availability_at(blocks, zone, toggle, now)
    is_by_toggle = toggle is not None and (end is None or now < end)
    assert found == Availability(
        available=present,
        source="toggle" if is_by_toggle else "schedule",
        until=end if is_by_toggle else change,
        next_change_at=change,
    )
