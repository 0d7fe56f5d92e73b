"""What a chat request may hold, and what is made of it."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rondo_common.conversation import AgentRoute, CustomRulesRoute, RoundRobinRoute, TeamRoute
from rondo_common.ids import ConversationId
from rondo_gateway.domain.chat_request import ChatRequestBody
from tests.gateway.fake_world import CNV, NOON

ROUND_ROBIN = {"route": {"type": "round_robin"}}

names = st.text(min_size=1, max_size=100).filter(lambda text: "\x00" not in text)
texts = st.text(max_size=1000).filter(lambda text: "\x00" not in text)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
bodies = st.builds(
    lambda attributes, answers, first_name: {
        **ROUND_ROBIN,
        "visitor": {"first_name": first_name, "attributes": attributes},
        "answers": answers,
    },
    st.dictionaries(names, scalars, max_size=5),
    st.dictionaries(names, scalars, max_size=5),
    st.none() | texts,
)
anything = st.recursive(
    scalars | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(bodies)
def test_what_is_asked_is_kept_as_given_and_can_be_stored(body: dict[str, Any]) -> None:
    request = ChatRequestBody.model_validate(body).request(CNV, NOON)
    assert request.visitor.attributes == body["visitor"]["attributes"]
    assert request.answers == body["answers"]
    assert "\\u0000" not in request.model_dump_json()


@given(bodies, st.randoms())
def test_the_fingerprint_does_not_depend_on_how_the_body_is_written(
    body: dict[str, Any], random: Any
) -> None:
    shuffled = dict(sorted(body.items(), key=lambda _: random.random()))
    one, other = ChatRequestBody.model_validate(body), ChatRequestBody.model_validate(shuffled)
    assert one.fingerprint() == other.fingerprint()


@given(bodies, bodies)
def test_different_requests_have_different_fingerprints(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = ChatRequestBody.model_validate(one), ChatRequestBody.model_validate(other)
    if first != second:
        assert first.fingerprint() != second.fingerprint()


@given(anything)
def test_anything_at_all_is_taken_or_refused_by_name(body: object) -> None:
    with contextlib.suppress(ValidationError):
        ChatRequestBody.model_validate(body)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"visitor": {"first_name": "a\x00b"}}, ("visitor", "first_name")),
        ({"visitor": {"first_name": "\ud800"}}, ("visitor", "first_name")),
        ({"visitor": {"first_name": "x" * 1001}}, ("visitor", "first_name")),
        ({"visitor": {"first_name": 7}}, ("visitor", "first_name")),
        ({"visitor": {"email": "not-an-email"}}, ("visitor", "email")),
        ({"visitor": {"id": "a b"}}, ("visitor", "id")),
        ({"visitor": {"id": ""}}, ("visitor", "id")),
        ({"visitor": {"surprise": 1}}, ("visitor", "surprise")),
        ({"visitor": {"attributes": {"x": [1]}}}, ("visitor", "attributes", "x")),
        ({"visitor": {"attributes": {"x": "\x00"}}}, ("visitor", "attributes", "x")),
        ({"visitor": {"attributes": {"x": "\udfff"}}}, ("visitor", "attributes", "x")),
        ({"visitor": {"attributes": {"x": float("nan")}}}, ("visitor", "attributes", "x")),
        ({"visitor": {"attributes": {"x": 2**63}}}, ("visitor", "attributes", "x")),
        ({"visitor": {"attributes": {"\x00": 1}}}, ("visitor", "attributes")),
        ({"visitor": {"attributes": {"": 1}}}, ("visitor", "attributes")),
        ({"visitor": {"attributes": dict.fromkeys(map(str, range(51)), 1)}}, ("visitor", "attributes")),
        ({"answers": {"x" * 101: 1}}, ("answers",)),
        ({"page": {}}, ("page", "url")),
        ({"page": {"url": "x" * 2001}}, ("page", "url")),
        ({"priority": "1"}, ("priority",)),
        ({"priority": 1.5}, ("priority",)),
        ({"priority": True}, ("priority",)),
        ({"priority": 10**400}, ("priority",)),
        ({"route": {"type": "custom_rules", "team_id": "t"}}, ("route", "team_id")),
        ({"route": {"type": "custom_rules", "agent_id": "a"}}, ("route", "agent_id")),
        ({"route": {"type": "team", "team_id": "t", "agent_id": "a"}}, ("route", "agent_id")),
        ({"route": {"type": "team"}}, ("route", "team_id")),
        ({"route": {"type": "team", "team_id": None}}, ("route", "team_id")),
        ({"route": {"type": "team", "team_id": "a b"}}, ("route", "team_id")),
        ({"route": {"type": "teams"}}, ("route", "type")),
        ({"route": {"agent_id": "a"}}, ("route", "type")),
        ({"route": {"type": "agent"}}, ("route", "agent_id")),
        ({"route": {"type": "round_robin", "agent_id": "grace"}}, ("route", "agent_id")),
        ({"route": None}, ("route",)),
        ({"surprise": 1}, ("surprise",)),
    ],
)
def test_the_field_that_cannot_be_taken_is_named(change: dict[str, Any], pointer: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        ChatRequestBody.model_validate(ROUND_ROBIN | change)
    assert pointer in {error["loc"] for error in caught.value.errors()}


def test_the_routes_there_are_are_named_when_another_is_asked_for() -> None:
    with pytest.raises(ValidationError, match="'round_robin', 'agent', 'custom_rules' or 'team'"):
        ChatRequestBody.model_validate({"route": {"type": "nearest"}})


def test_routes_become_what_events_carry() -> None:
    asked = ChatRequestBody.model_validate({"route": {"type": "agent", "agent_id": "grace"}})
    assert asked.request(CNV, NOON).route == AgentRoute(agent_id="grace")
    asked = ChatRequestBody.model_validate(ROUND_ROBIN)
    assert asked.request(CNV, NOON).route == RoundRobinRoute()
    asked = ChatRequestBody.model_validate({"route": {"type": "team", "team_id": "sales"}})
    assert asked.request(CNV, NOON).route == TeamRoute(team_id="sales")
    asked = ChatRequestBody.model_validate({"route": {"type": "custom_rules"}})
    assert asked.request(CNV, NOON).route == CustomRulesRoute()


def test_an_anonymous_visitor_is_the_same_one_at_every_retry() -> None:
    asked = ChatRequestBody.model_validate(ROUND_ROBIN)
    assert asked.request(CNV, NOON).visitor.id == asked.request(CNV, NOON).visitor.id
    assert asked.request(CNV, NOON).visitor.id != asked.request(ConversationId("cnv_2"), NOON).visitor.id


def test_true_stays_true_and_one_stays_one() -> None:
    body = ROUND_ROBIN | {"answers": {"flag": True, "count": 1, "ratio": 1.0}}
    told = json.loads(ChatRequestBody.model_validate(body).request(CNV, NOON).model_dump_json())
    assert told["answers"]["flag"] is True
    assert [type(each) for each in told["answers"].values()] == [bool, int, float]
