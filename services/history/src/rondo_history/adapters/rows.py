"""Facts and summaries as rows of PostgreSQL, both ways."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import asyncpg

from rondo_common.conversation import TeamRoute
from rondo_common.events import EVENT_TYPES, ConversationEvent, MessagePosted
from rondo_common.ids import EventId, WorkspaceId
from rondo_history.adapters.conversation_key import ConversationKey
from rondo_history.domain.fact import Fact, Place
from rondo_history.domain.search import folded, grams_of
from rondo_history.domain.summary import Outcome, Summary, route_of

WORKSPACE_GRAM_BYTES = 7


def fact_row(fact: Fact) -> tuple[object, ...]:
    """The values of ``keep_facts``, in its order."""
    return (
        fact.id,
        fact.workspace_id,
        fact.conversation_id,
        fact.event.TYPE,
        fact.occurred_at,
        fact.place.topic,
        fact.place.partition,
        fact.place.offset,
        fact.event.model_dump_json(exclude_none=True),
    )


def text_row(fact: Fact) -> tuple[object, ...]:
    """The values of ``keep_texts`` for a message."""
    assert isinstance(fact.event, MessagePosted)  # noqa: S101 - only those are given
    text = folded(fact.event.message.text)
    grams = [workspace_gram(fact.workspace_id), *grams_of(text)]
    array = "{" + ",".join(map(str, grams)) + "}"
    return (fact.workspace_id, fact.conversation_id, fact.id, fact.occurred_at, text, array)


def workspace_gram(workspace_id: WorkspaceId) -> int:
    """The gram that all texts of a workspace share: below zero, where no text has one."""
    digest = hashlib.sha256(workspace_id.encode()).digest()
    return -1 - int.from_bytes(digest[:WORKSPACE_GRAM_BYTES], "big")


def facts_in(rows: Sequence[asyncpg.Record]) -> list[Fact]:
    """The facts in ``rows``; a type only a newer version knows is left out."""
    return [_fact(row, model) for row in rows if (model := _model(row["type"])) is not None]


def summary_in(row: asyncpg.Record) -> Summary:
    """The summary in a row's ``data``; empty when it was only just opened."""
    return Summary.model_validate_json(row["data"], extra="ignore")


def summary_row(key: ConversationKey, summary: Summary) -> str:
    """The columns of ``conversations`` as one JSON object."""
    request, route = summary.request, route_of(summary)
    accepted = [ring.agent_id for ring in summary.rings if ring.outcome is Outcome.ACCEPTED]
    rung = [] if summary.offer is None else [summary.offer.agent_id]
    columns = {
        "workspace_id": key.workspace_id,
        "id": key.conversation_id,
        "visitor_id": None if request is None else request.visitor.id,
        "agent_ids": list(dict.fromkeys([*summary.agent_ids, *rung])),
        "requested_at": None if request is None else request.requested_at.isoformat(),
        "route": None if route is None else route.type,
        "team_id": route.team_id if isinstance(route, TeamRoute) else None,
        "accepted_by": accepted[0] if accepted else None,
        "end_reason": None if summary.ended is None else summary.ended.reason,
        "fallback_reason": None if summary.fallback is None else summary.fallback.reason,
        "rating_score": None if summary.rating is None else summary.rating.score,
        **summary.model_dump(mode="json", include=_AS_THEY_ARE),
        "data": summary.model_dump(mode="json", exclude_none=True),
    }
    return json.dumps(columns)


_AS_THEY_ARE = {
    "status",
    "first_at",
    "last_at",
    "log_offset",
    "message_count",
    "last_message_at",
    "queued_at",
    "dequeued_at",
    "accepted_at",
    "responded_at",
    "closed_at",
    "rings",
    "rated_agent_id",
    "erased_by",
}


def _model(event_type: str) -> type[ConversationEvent] | None:
    model = EVENT_TYPES.get(event_type)
    return model if model is not None and issubclass(model, ConversationEvent) else None


def _fact(row: asyncpg.Record, model: type[ConversationEvent]) -> Fact:
    return Fact(
        id=EventId(row["id"]),
        workspace_id=WorkspaceId(row["workspace_id"]),
        occurred_at=row["occurred_at"],
        place=Place(row["log_topic"], row["log_partition"], row["log_offset"]),
        event=model.model_validate_json(row["data"], extra="ignore"),
    )
