"""Replaying: recorded chats run again on the real functions, under other directories."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from rondo_common.conversation import AgentCard, Queue, Request, RoundRobinRoute, Visitor, Why
from rondo_common.directory.defined import Defined
from rondo_common.directory.entries import AgentEntry, QueueSettings, WorkspaceEntry, WorkspaceSettings
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    ChatEnded,
    ChatQueued,
    ConversationEvent,
)
from rondo_common.ids import AgentId, ConversationId, EventId, VisitorId, WorkspaceId
from rondo_router.adapters.redis_switchboard import RedisSwitchboard
from rondo_router.domain.changed_directory import BadChanges, read_changes, with_changes
from rondo_router.domain.memory import Recorded
from rondo_router.domain.replay import Story, stories_of
from rondo_router.handlers.replaying import SCRATCH_PARTITION, Replay

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
WORKSPACE = WorkspaceId("acme")


def _directory(*names: str, capacity: int = 1, queue: bool = False) -> WorkspaceDirectory:
    settings = WorkspaceSettings(queue=QueueSettings(enabled=queue, max_wait_s=3600))
    workspace = WorkspaceEntry(id=WORKSPACE, name="Acme", settings=settings, created_at=NOON)
    agents = {
        AgentId(name): Defined(
            AgentEntry(
                id=AgentId(name), name=name, email=f"{name}@example.com", capacity=capacity, place=place
            ),
            place,
        )
        for place, name in enumerate(names, start=1)
    }
    return WorkspaceDirectory(workspace=workspace, agents=agents, place_last=len(names))


def _chat(number: int, agent: str, *, talk_s: int = 60, declined: bool = False) -> list[Recorded]:
    """A chat asked for ``number`` minutes after noon, and accepted (or declined) 5 s later."""
    conversation_id = ConversationId(f"cnv_{number}")
    asked = NOON + timedelta(minutes=number)
    card = AgentCard(id=AgentId(agent), name=agent)
    answered, ended = asked + timedelta(seconds=5), asked + timedelta(seconds=5 + talk_s)
    told: list[tuple[datetime, ConversationEvent]] = [
        (
            asked,
            AssignmentOffered(
                conversation_id=conversation_id,
                agent=card,
                attempt=1,
                offered_at=asked,
                expires_at=asked + timedelta(seconds=100),
                why=Why(stage="round_robin", pool="all", place=1, turn=1),
                request=Request(
                    visitor=Visitor(id=VisitorId("v")), route=RoundRobinRoute(), requested_at=asked
                ),
            ),
        )
    ]
    if declined:
        told.append(
            (
                answered,
                AssignmentDeclined(conversation_id=conversation_id, agent_id=card.id, attempt=1),
            )
        )
    else:
        told.append((answered, AssignmentAccepted(conversation_id=conversation_id, agent=card, attempt=1)))
        by = {"type": "visitor", "id": "v"}
        over = {
            "conversation_id": conversation_id,
            "reason": "visitor_ended",
            "by": by,
            "agent_id": card.id,
        }
        told.append((ended, ChatEnded.model_validate(over)))
    return [
        Recorded(Envelope(EventId(f"{number}/{place}"), "/tests", at, WORKSPACE, event), place)
        for place, (at, event) in enumerate(told)
    ]


def _stories(*chats: Sequence[Recorded]) -> list[Story]:
    records = [record for chat in chats for record in chat]
    return stories_of([*records, *records], NOON, NOON + timedelta(days=1))


async def _replayed(
    redis: Redis, stories: Sequence[Story], directory: WorkspaceDirectory
) -> list[tuple[list[str], str | None, str | None]]:
    board = RedisSwitchboard(redis)
    await board.load()
    scratch = WorkspaceId(f"replay-{uuid.uuid4().hex[:12]}")
    epoch = await board.claim(SCRATCH_PARTITION, 1)
    await board.adopt(epoch, SCRATCH_PARTITION, [scratch])
    try:
        outcomes = await Replay(board, epoch, scratch, directory).run(stories)
    finally:
        await board.discard(SCRATCH_PARTITION, scratch)
    assert [key async for key in redis.scan_iter(f"*{scratch}*")] == []
    return [
        (list(each.offered), each.accepted_by, each.fell_back)
        for each in (outcomes[story.conversation_id] for story in stories)
    ]


async def test_under_the_same_directory_it_goes_as_it_went(redis: Redis) -> None:
    stories = _stories(_chat(1, "a"), _chat(2, "b", declined=True), _chat(3, "a"))
    recorded = [
        (list(each.outcome.offered), each.outcome.accepted_by, each.outcome.fell_back) for each in stories
    ]
    replayed = await _replayed(redis, stories, _directory("a", "b"))
    assert [each[:2] for each in replayed] == [each[:2] for each in recorded]
    assert replayed[1] == (["b"], None, "not_answered")


async def test_fewer_agents_are_too_few_for_chats_at_the_same_time(redis: Redis) -> None:
    stories = _stories(_chat(1, "a", talk_s=600), _chat(2, "b", talk_s=600))
    assert await _replayed(redis, stories, _directory("a")) == [
        (["a"], "a", None),
        ([], None, "nobody_available"),
    ]


async def test_who_waits_gets_the_agent_when_the_recorded_talk_is_over(redis: Redis) -> None:
    stories = _stories(_chat(1, "a", talk_s=600), _chat(2, "b", talk_s=600))
    replayed = await _replayed(redis, stories, _directory("a", queue=True))
    assert replayed == [(["a"], "a", None), (["a"], "a", None)]


def _taken_chat(number: int, agent: str) -> list[Recorded]:
    """A chat that waited for 20 s, until an agent took it."""
    asked = NOON + timedelta(minutes=number)
    offered, accepted, ended = _chat(number, agent)
    assert isinstance(offered.envelope.event, AssignmentOffered)
    first = offered.envelope.event
    queued = ChatQueued(
        conversation_id=first.conversation_id,
        queue=Queue(position=1, estimated_wait_s=60),
        queued_at=asked,
        expires_at=asked + timedelta(hours=1),
        why=Why(stage="round_robin"),
        request=first.request,
    )
    at = asked + timedelta(seconds=20)
    taking = first.model_copy(update={"why": Why(stage="taken"), "offered_at": at})
    told: list[tuple[str, datetime, ConversationEvent]] = [
        ("queued", asked, queued),
        ("offered", at, taking),
    ]
    return [
        *(
            Recorded(Envelope(EventId(f"{number}/{name}"), "/tests", when, WORKSPACE, event), place)
            for place, (name, when, event) in enumerate(told)
        ),
        Recorded(replace(accepted.envelope, time=at), 2),
        Recorded(ended.envelope, 3),
    ]


async def test_who_took_a_chat_from_the_queue_takes_it_again_while_it_waits(redis: Redis) -> None:
    stories = _stories(_chat(1, "a", talk_s=600), _taken_chat(2, "b"))
    assert (stories[1].answers, stories[1].taken) == ([], ("b", 20.0))
    busy = _directory("a", "b", queue=True)
    away: dict[str, Any] = {"agents": {"b": {"schedule": []}}}
    recorded = [(["a"], "a", None), (["b"], "b", None)]
    assert await _replayed(redis, stories, with_changes(busy, away)) == recorded
    assert await _replayed(redis, stories, _directory("a", queue=True)) == [recorded[0], (["a"], "a", None)]
    assert await _replayed(redis, stories, _directory("c", "a", queue=True)) == [
        (["c"], "c", None),
        (["a"], "a", None),
    ]


def test_a_changed_directory_has_what_the_file_changes_and_keeps_the_rest() -> None:
    present = _directory("a", "b")
    changes = {
        "workspace": {"live_chat_enabled": False},
        "agents": {"b": None, "c": {"name": "C", "email": "c@example.com"}, "a": {"capacity": 7}},
        "teams": {"sales": {"name": "Sales", "agent_ids": ["c", "a"]}},
    }
    changed = with_changes(present, read_changes(json.dumps(changes)))
    assert changed.workspace is not None
    assert not changed.workspace.settings.live_chat_enabled
    assert {each: one.entry.capacity for each, one in changed.agents.items()} == {"a": 7, "c": None}
    assert changed.agents[AgentId("c")].entry.place == 3
    (team,) = changed.teams.values()
    assert team.entry.places == {"c": 1, "a": 2}
    assert set(present.agents) == {"a", "b"}
    assert present.teams == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "not a JSON object"),
        ("{", "not a JSON object"),
        ('{"people": {}}', "unknown kind 'people'"),
        ('{"agents": {"a": {"capacity": "many"}}}', "agents/a/capacity"),
        ('{"agents": {"new": {}}}', "agents/new/name"),
        ('{"workspace": {"offer_timeout_s": 0}}', "workspace/offer_timeout_s"),
        ('{"agents": {"a": 3}}', "agents/a"),
    ],
)
def test_a_bad_file_of_changes_says_where_it_is_bad(text: str, told: str) -> None:
    with pytest.raises(BadChanges, match=told):
        with_changes(_directory("a"), read_changes(text))
