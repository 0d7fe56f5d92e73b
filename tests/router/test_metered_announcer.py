"""How routing goes, in figures: from the events that tell of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from rondo_common.envelope import Envelope
from rondo_common.events import EVENT_TYPES
from rondo_common.ids import WorkspaceId, derived_event_id
from rondo_common.meter import Meter
from rondo_router.adapters.metered_announcer import MeteredAnnouncer, RoutingMeter

EXAMPLES = Path(__file__).parents[1] / "schemas"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CHAT = "cnv_01JTESTTESTTESTTESTTESTTES"


class Log:
    """An announcer that has everything at once."""

    def __init__(self) -> None:
        self.announced: list[Any] = []

    async def announce(self, envelopes: Sequence[Any]) -> list[int]:
        self.announced += envelopes
        return list(range(len(self.announced)))


def told(kind: str, seconds: float, conversation: str = CHAT, **changes: Any) -> Envelope[Any]:
    """An event of that kind, so many seconds after the request at noon."""
    fields = json.loads((EXAMPLES / f"rondo.{kind}.v1.json").read_text(encoding="utf-8"))
    fields["conversation_id"] = conversation
    if "request" in fields:
        fields["request"]["requested_at"] = NOON.isoformat()
    event = EVENT_TYPES[f"rondo.{kind}.v1"].model_validate(fields | changes)
    at = NOON + timedelta(seconds=seconds)
    return Envelope(derived_event_id(conversation, f"{kind}{at}"), "/t", at, WorkspaceId("acme"), event)


def offered(seconds: float, conversation: str = CHAT, **changes: Any) -> Envelope[Any]:
    return told(
        "assignment.offered", seconds, conversation, **({"attempt": 1, "transferred_by": None} | changes)
    )


def queued(seconds: float) -> Envelope[Any]:
    at = (NOON + timedelta(seconds=seconds)).isoformat()
    return told("conversation.queued", seconds, queued_at=at)


async def figures(*envelopes: Envelope[Any]) -> dict[str, float]:
    """What stands there after these, without what is zero; ``name{labels}``."""
    meter, log = Meter("router"), Log()
    announcer = MeteredAnnouncer(log, RoutingMeter(meter))
    assert await announcer.announce(envelopes) == list(range(len(envelopes)))
    assert log.announced == list(envelopes)
    found = {}
    for family in text_string_to_metric_families(meter.exposition().decode()):
        for sample in family.samples:
            counts = sample.name.startswith("rondo_") and not sample.name.endswith(("_bucket", "_created"))
            if counts and sample.value:
                found[sample.name + "".join(f"/{value}" for value in sample.labels.values())] = sample.value
    return found


async def test_a_chat_that_is_answered_is_timed_from_its_request() -> None:
    assert await figures(offered(2), told("assignment.accepted", 12, attempt=1)) == {
        "rondo_offers_total/made": 1,
        "rondo_offers_total/accepted": 1,
        "rondo_routed_chats_total/accepted": 1,
        "rondo_time_to_offer_seconds_count": 1,
        "rondo_time_to_offer_seconds_sum": 2,
        "rondo_time_to_answer_seconds_count": 1,
        "rondo_time_to_answer_seconds_sum": 12,
    }


async def test_only_the_first_offer_counts_as_the_time_to_it() -> None:
    found = await figures(offered(1), told("assignment.timed_out", 101, attempt=1), offered(101, attempt=2))
    assert found["rondo_time_to_offer_seconds_count"] == 1
    assert found["rondo_offers_total/made"] == 2
    assert found["rondo_offers_total/timed_out"] == 1


async def test_a_wait_in_the_queue_is_timed_by_how_it_ended() -> None:
    taken = await figures(queued(1), offered(31))
    assert taken["rondo_queued_chats_total"] == 1
    assert taken["rondo_queue_wait_seconds_sum/offered"] == 30
    assert "rondo_time_to_offer_seconds_count" not in taken
    left = await figures(queued(1), told("conversation.withdrawn", 6))
    assert left["rondo_queue_wait_seconds_sum/withdrawn"] == 5
    assert left["rondo_routed_chats_total/withdrawn"] == 1


async def test_a_fallback_is_counted_with_its_reason() -> None:
    fallback = {"reason": "not_answered", "message": "Later", "offer_meeting": False}
    found = await figures(offered(0), told("conversation.fell_back", 100, fallback=fallback))
    assert found["rondo_fallbacks_total/not_answered"] == 1
    assert found["rondo_routed_chats_total/fell_back"] == 1


async def test_a_transfer_is_an_offer_but_no_second_routing_of_the_chat() -> None:
    found = await figures(
        offered(1),
        told("assignment.accepted", 3, attempt=1),
        offered(60, transferred_by={"id": "agt-1", "name": "Ada", "avatar_url": None}),
        told("assignment.accepted", 61, attempt=1),
    )
    assert found["rondo_routed_chats_total/accepted"] == 1
    assert found["rondo_offers_total/accepted"] == 2
    assert found["rondo_time_to_answer_seconds_count"] == 1


async def test_an_end_is_counted_with_its_reason() -> None:
    found = await figures(told("conversation.ended", 500, reason="idle"))
    assert found == {"rondo_ended_chats_total/idle": 1}
