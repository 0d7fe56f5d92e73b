"""Rating a conversation over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rondo_common.conversation import Rating
from rondo_common.errors import Unavailable
from rondo_common.events import ConversationRated
from rondo_common.ids import VisitorId
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    ADA,
    CNV,
    GLOBEX_KEY,
    GRACE,
    NOON,
    FakeWorld,
    active,
    bearer,
    ended,
    json_of,
    offered,
)
from tests.gateway.test_http_conversation_lists import kept

KEY = bearer(ACME_KEY)
PATH = f"/v1/conversations/{CNV}"
RATED = f"{PATH}/rating"


async def test_a_conversation_that_has_ended_is_rated_and_rated_anew(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, ended())
    ada, said = bearer(world.visitor_token()), "Räksmörgås 👍\n<b>'; --"
    assert json_of(await http.get(PATH, headers=ada), 200)["rating"] is None
    first = await http.post(RATED, headers=ada, json={"score": 2, "comment": said})
    rated_at = f"{NOON:%Y-%m-%dT%H:%M:%S}Z"
    assert json_of(first, 201) == {"score": 2, "comment": said, "rated_at": rated_at}
    assert json_of(await http.get(PATH, headers=KEY), 200)["rating"] == first.json()
    again = await http.post(RATED, headers=KEY, json={"score": 5})
    assert json_of(again, 200) == {"score": 5, "comment": None, "rated_at": rated_at}
    grace = bearer(world.agent_token())
    world.history.kept[CNV] = kept(ended())
    assert json_of(await http.get(PATH, headers=grace), 200)["rating"]["score"] == 5
    by_ada, by_key = world.log.events
    assert isinstance(by_ada, ConversationRated)
    assert (by_ada.rating.comment, by_ada.by.type, by_ada.by.id) == (said, "visitor", ADA)
    assert by_ada.agent_id == GRACE
    assert isinstance(by_key, ConversationRated)
    assert by_key.by.type == "key"


async def test_what_nobody_but_history_knows_is_rated_too(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    rating = Rating(score=1, rated_at=NOON)
    world.history.kept[CNV] = kept(ended()).model_copy(update={"rating": rating})
    ada = bearer(world.visitor_token())
    assert json_of(await http.get(PATH, headers=ada), 200)["rating"]["score"] == 1
    assert (await http.post(RATED, headers=ada, json={"score": 3})).status_code == 200
    assert len(world.log.events) == 1


@pytest.mark.parametrize("view", [offered(), active()])
async def test_before_the_end_nothing_is_rated(
    http: httpx.AsyncClient, world: FakeWorld, view: Any
) -> None:
    await world.conversations.show(ACME, view)
    refused = await http.post(RATED, headers=KEY, json={"score": 5})
    assert json_of(refused, 409)["type"] == "urn:rondo:error:conversation-not-ended"
    assert world.log.events == []


async def test_only_its_visitor_and_the_website_rate_it(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.conversations.show(ACME, ended())
    elsewhere = await http.post(RATED, headers=bearer(GLOBEX_KEY), json={"score": 5})
    assert elsewhere.status_code == 404
    world.history.kept[CNV] = kept(ended())
    for credential, status in {
        world.agent_token(): 403,
        world.visitor_token(VisitorId("eve")): 404,
    }.items():
        answer = await http.post(RATED, headers=bearer(credential), json={"score": 5})
        assert answer.status_code == status
    assert world.log.events == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/score"),
        ({"score": 0}, "/score"),
        ({"score": 6}, "/score"),
        ({"score": 4.5}, "/score"),
        ({"score": "5"}, "/score"),
        ({"score": True}, "/score"),
        ({"score": 5, "comment": "x" * 1_001}, "/comment"),
        ({"score": 5, "comment": "a\x00b"}, "/comment"),
    ],
)
async def test_what_is_no_rating_is_named(
    http: httpx.AsyncClient, world: FakeWorld, body: dict[str, Any], pointer: str
) -> None:
    await world.conversations.show(ACME, ended())
    refused = await http.post(RATED, headers=KEY, json=body)
    assert json_of(refused, 422)["errors"][0]["pointer"] == pointer


async def test_a_comment_of_blanks_is_none(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.conversations.show(ACME, ended())
    rated = await http.post(RATED, headers=KEY, json={"score": 5, "comment": " \n "})
    assert json_of(rated, 201)["comment"] is None


async def test_a_rating_counts_as_something_said(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.settle(rate_limits={"visitor_messages_per_minute": 1})
    await world.conversations.show(ACME, ended())
    ada = bearer(world.visitor_token())
    assert (await http.post(RATED, headers=ada, json={"score": 5})).status_code == 201
    assert (await http.post(RATED, headers=ada, json={"score": 4})).status_code == 429


async def test_what_is_not_in_the_log_was_not_taken_and_what_is_there_was(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, ended())
    world.log.is_unreachable = True
    assert (await http.post(RATED, headers=KEY, json={"score": 5})).status_code == 503
    world.log.is_unreachable = False
    publish = world.log.publish

    async def publish_and_lose_redis(envelope: Any) -> int:
        world.conversations.is_unreachable = True
        return await publish(envelope)

    world.log.publish = publish_and_lose_redis  # type: ignore[method-assign]
    assert (await http.post(RATED, headers=KEY, json={"score": 5})).status_code == 201
    with pytest.raises(Unavailable):
        await world.conversations.find(ACME, CNV)
    assert len(world.log.events) == 1


async def test_with_its_visitor_a_rating_is_erased(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.conversations.show(ACME, ended())
    world.history.kept[CNV] = kept(ended())
    await http.post(RATED, headers=KEY, json={"score": 5, "comment": "I am Ada"})
    assert (await http.delete(f"/v1/visitors/{ADA}", headers=KEY)).status_code == 202
    view = await world.conversations.find(ACME, CNV)
    assert view is not None
    assert view.rating is None
