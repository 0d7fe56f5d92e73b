"""Availability: when an agent may be offered chats, by schedule and toggle."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from rondo_common.conversation import Value


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_time_zone(name: str) -> str:
    if name not in _time_zones():
        raise PydanticCustomError("time_zone", "must be an IANA time zone such as Europe/Stockholm")
    return name


TimeZone = Annotated[str, AfterValidator(_known_time_zone)]
"""The name of an IANA time zone."""


class Weekday(StrEnum):
    """A day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A time of day, ``HH:MM``."""


class ScheduleBlock(Value):
    """From a time of day (inclusive) to another (exclusive); one at or before it is on the next day."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    weekday: Weekday
    from_: ClockTime = Field(alias="from")
    to: ClockTime


class Toggle(Value):
    """What the agent switched to, and when."""

    available: bool
    set_at: datetime


class Availability(Value):
    """Whether an agent is available, why, and what comes next."""

    available: bool
    source: Literal["schedule", "toggle"]
    until: datetime | None = None
    """When the present source's say ends; None: not by itself."""
    next_change_at: datetime | None = None
    """When ``available`` changes by itself; None: never."""
