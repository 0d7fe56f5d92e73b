"""Hours of the week that nobody covers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rondo_common.availability import ScheduleBlock, Weekday
from rondo_common.directory.entries import AgentEntry
from rondo_common.ids import AgentId
from rondo_gateway.domain.coverage import uncovered_hours

WEDNESDAY = datetime(2026, 7, 1, 10, 17, 42, tzinfo=UTC)
DAYS = [str(each) for each in Weekday]
WORKDAYS = DAYS[:5]


def block(weekday: str, from_: str, to: str) -> ScheduleBlock:
    return ScheduleBlock(weekday=Weekday(weekday), from_=from_, to=to)


def agent(*blocks: ScheduleBlock, zone: str | None = None) -> AgentEntry:
    return AgentEntry(id=AgentId("a"), name="A", email="a@example.com", time_zone=zone, schedule=blocks)


def on(weekdays: list[str], from_: str, to: str, zone: str | None = None) -> AgentEntry:
    return agent(*(block(each, from_, to) for each in weekdays), zone=zone)


ALWAYS = AgentEntry(id=AgentId("always"), name="A", email="a@example.com")


def test_somebody_without_a_schedule_covers_the_week() -> None:
    assert uncovered_hours([on(WORKDAYS, "09:00", "17:00"), ALWAYS], "UTC", WEDNESDAY) == []


@pytest.mark.parametrize("agents", [[], [agent()], [agent(), agent()]])
def test_where_nobody_ever_works_all_of_the_week_is_open(agents: list[AgentEntry]) -> None:
    assert uncovered_hours(agents, "UTC", WEDNESDAY) is None


def test_nights_and_the_weekend_are_open_from_monday_on() -> None:
    assert uncovered_hours([on(WORKDAYS, "08:00", "18:00")], "UTC", WEDNESDAY) == [
        "mon 18:00–tue 08:00",
        "tue 18:00–wed 08:00",
        "wed 18:00–thu 08:00",
        "thu 18:00–fri 08:00",
        "fri 18:00–mon 08:00",
    ]


@pytest.mark.parametrize("hour", [0, 5, 8, 12, 18, 23])
@pytest.mark.parametrize("day", range(7))
def test_it_does_not_matter_when_in_the_week_it_is_asked(day: int, hour: int) -> None:
    now = WEDNESDAY.replace(hour=hour) + timedelta(days=day)
    assert uncovered_hours([on(DAYS, "08:00", "00:00")], "UTC", now) == [
        f"{each} 00:00–08:00" for each in DAYS
    ]


def test_a_day_ends_at_24() -> None:
    weekend = [on(WORKDAYS, "00:00", "00:00")]
    assert uncovered_hours(weekend, "UTC", WEDNESDAY) == ["sat 00:00–sun 24:00"]
    evenings = uncovered_hours([on(DAYS, "00:00", "20:00")], "UTC", WEDNESDAY)
    assert evenings == [f"{each} 20:00–24:00" for each in DAYS]


def test_agents_cover_for_each_other_over_their_time_zones() -> None:
    agents = [
        on(DAYS, "09:00", "17:00", "Europe/Stockholm"),  # 07 to 15 UTC
        on(DAYS, "09:00", "17:00", "America/New_York"),  # 13 to 21 UTC
        on(DAYS, "08:00", "16:00", "Asia/Tokyo"),  # 23 to 07 UTC
    ]
    assert uncovered_hours(agents, "UTC", WEDNESDAY) == [f"{each} 21:00–23:00" for each in DAYS]
    following = dict(zip(DAYS, [*DAYS[1:], "mon"], strict=True))
    assert uncovered_hours(agents, "Europe/Stockholm", WEDNESDAY) == [
        f"{each} 23:00–{following[each]} 01:00" for each in DAYS
    ]


def test_hours_move_with_daylight_saving() -> None:
    night = [on(DAYS, "06:00", "00:00", "America/New_York")]
    before, after = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 9, 12, tzinfo=UTC)
    assert uncovered_hours(night, "UTC", before) == [
        "mon 05:00–11:00",
        "tue 05:00–11:00",
        "wed 05:00–11:00",
        "thu 05:00–11:00",
        "fri 05:00–11:00",
        "sat 05:00–11:00",
        "sun 05:00–10:00",  # The clocks go forward in that night: 8 March 2026.
    ]
    assert uncovered_hours(night, "UTC", after) == [f"{each} 04:00–10:00" for each in DAYS]
    assert uncovered_hours(night, "America/New_York", after) == [f"{each} 00:00–06:00" for each in DAYS]


# --- against every quarter of an hour ------------------------------------------------------------

QUARTER = timedelta(minutes=15)
TIMES = st.builds(
    lambda hour, quarter: f"{hour:02}:{quarter:02}", st.integers(0, 23), st.sampled_from([0, 15, 30])
)
ZONES = [
    "UTC",
    "Europe/Stockholm",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]
AGENTS = st.builds(
    lambda blocks, zone: agent(*blocks, zone=zone),
    st.lists(st.builds(block, st.sampled_from(DAYS), TIMES, TIMES), max_size=8),
    st.sampled_from([None, *ZONES]),
)
MOMENTS = st.sampled_from(
    [
        datetime(2026, 3, 3, tzinfo=UTC),
        datetime(2026, 3, 27, 9, tzinfo=UTC),
        datetime(2026, 10, 20, 23, tzinfo=UTC),
    ]
) | st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(  # noqa: DTZ001 - made aware right away
    lambda moment: moment.replace(tzinfo=UTC, minute=0, second=0, microsecond=0)
)


def _is_available(each: AgentEntry, instant: datetime) -> bool:
    """Whether the wall clock of the agent's zone reads a time inside one of the blocks."""
    wall = instant.astimezone(ZoneInfo(each.time_zone or "UTC"))
    today, yesterday = DAYS[wall.weekday()], DAYS[wall.weekday() - 1]
    time = f"{wall:%H:%M}"
    for one in each.schedule or ():
        is_over_midnight = one.to <= one.from_
        if one.weekday == today and one.from_ <= time and (is_over_midnight or time < one.to):
            return True
        if one.weekday == yesterday and is_over_midnight and time < one.to:
            return True
    return False


def _minute(day: str, time: str) -> int:
    return (DAYS.index(day) * 24 + int(time[:2])) * 60 + int(time[3:])


def _is_in(text: str, instant: datetime) -> bool:
    begins, _, ends = text.partition("–")
    day, time = begins.split()
    last_day, closes = ends.split() if " " in ends else (day, ends)
    opens, shuts = _minute(day, time), _minute(last_day, closes)
    minute = _minute(DAYS[instant.weekday()], f"{instant:%H:%M}")
    return opens <= minute < shuts if opens < shuts else minute >= opens or minute < shuts


@given(st.lists(AGENTS, max_size=3), MOMENTS)
@settings(max_examples=60, deadline=None)
def test_a_quarter_of_an_hour_is_told_of_exactly_when_nobody_is_available(
    agents: list[AgentEntry], now: datetime
) -> None:
    spans = uncovered_hours(agents, "UTC", now)
    for number in range(7 * 24 * 4):
        instant = now + number * QUARTER
        is_told = spans is None or any(_is_in(each, instant) for each in spans)
        assert is_told is not any(_is_available(each, instant) for each in agents), instant
