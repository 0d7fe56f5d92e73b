"""Alerts, push subscriptions and chat hooks over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from rondo_common.alerts import AlertRecord, AlertState
from rondo_common.events import AcknowledgeAlert
from rondo_common.ids import AlertId
from rondo_gateway.adapters.vapid import public_key_of
from rondo_gateway.domain.push import SUBSCRIPTIONS_MAX
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    BOB,
    CNV,
    GLOBEX_KEY,
    GRACE,
    NOON,
    FakeWorld,
    bearer,
    json_of,
)

KEYS = {"p256dh": "B" + "A" * 86, "auth": "A" * 22}
ALERT = AlertRecord(
    id=AlertId("alr_1"),
    agent_id=GRACE,
    conversation_id=CNV,
    state=AlertState.SENT,
    attempt=1,
    created_at=NOON,
    expires_at=NOON + timedelta(seconds=100),
)


def subscription(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {"endpoint": f"https://push.example.com/send/{number}", "keys": KEYS, **changes}


async def test_an_agent_sees_their_alerts_newest_first_and_by_state(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    later = ALERT.model_copy(
        update={
            "id": "alr_2",
            "state": AlertState.WITHDRAWN,
            "created_at": NOON + timedelta(seconds=1),
        }
    )
    world.alerts.put(ACME, ALERT, later)
    grace = bearer(world.agent_token())
    everything = json_of(await http.get("/v1/agents/me/alerts", headers=grace), 200)
    assert [each["id"] for each in everything["data"]] == ["alr_2", "alr_1"]
    assert everything["data"][1] == {
        "id": "alr_1",
        "agent_id": GRACE,
        "conversation_id": CNV,
        "kind": "offer",
        "state": "sent",
        "channels": [],
        "attempt": 1,
        "created_at": everything["data"][1]["created_at"],
        "expires_at": everything["data"][1]["expires_at"],
    }
    sent = json_of(await http.get("/v1/agents/me/alerts?state=sent", headers=grace), 200)
    assert [each["id"] for each in sent["data"]] == ["alr_1"]
    assert (await http.get("/v1/agents/me/alerts?state=rung", headers=grace)).status_code == 422


async def test_alerts_are_the_agents_the_backends_and_nobody_elses(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    world.alerts.put(ACME, ALERT)
    path = f"/v1/agents/{GRACE}/alerts"
    assert (await http.get(path, headers=bearer(ACME_KEY))).status_code == 200
    assert (await http.get(path, headers=bearer(world.agent_token(BOB)))).status_code == 403
    assert (await http.get(path, headers=bearer(world.visitor_token()))).status_code == 403
    foreign = json_of(await http.get(path, headers=bearer(GLOBEX_KEY)), 200)
    assert foreign["data"] == []
    seen = await http.post(f"{path}/alr_1/acknowledge", headers=bearer(GLOBEX_KEY))
    assert seen.status_code == 404


async def test_an_alert_is_acknowledged_by_the_notifier(http: httpx.AsyncClient, world: FakeWorld) -> None:
    world.alerts.put(ACME, ALERT)
    world.alerts.after[ALERT.id] = ALERT.model_copy(update={"state": AlertState.ACKNOWLEDGED})
    path = "/v1/agents/me/alerts/alr_1/acknowledge"
    grace = bearer(world.agent_token())
    for _ in range(2):
        answer = json_of(await http.post(path, headers=grace), 200)
        assert answer["state"] == "acknowledged"
    asked = [each for each in world.log.events if isinstance(each, AcknowledgeAlert)]
    assert [(each.alert_id, each.agent_id, each.conversation_id) for each in asked] == [
        ("alr_1", GRACE, CNV)
    ]


async def test_a_slow_notifier_makes_it_202(http: httpx.AsyncClient, world: FakeWorld) -> None:
    world.alerts.put(ACME, ALERT)
    path = "/v1/agents/me/alerts/alr_1/acknowledge"
    answer = json_of(await http.post(path, headers=bearer(world.agent_token())), 202)
    assert answer["state"] == "sent"


async def test_a_browser_is_subscribed_once_and_let_go(http: httpx.AsyncClient, world: FakeWorld) -> None:
    grace = bearer(world.agent_token())
    body = subscription(expirationTime=None)
    first = json_of(await http.post("/v1/agents/me/push_subscriptions", headers=grace, json=body), 201)
    again = json_of(await http.post("/v1/agents/me/push_subscriptions", headers=grace, json=body), 201)
    assert first == again
    found = world.directory.find(ACME)
    assert found is not None
    assert [each.endpoint for each in found.push_subscriptions_of(GRACE)] == [body["endpoint"]]
    path = f"/v1/agents/me/push_subscriptions/{first['id']}"
    assert (await http.delete(path, headers=bearer(world.agent_token(BOB)))).status_code == 404
    assert (await http.delete(path, headers=grace)).status_code == 204
    assert (await http.delete(path, headers=grace)).status_code == 404
    assert found.push_subscriptions_of(GRACE) == []


async def test_the_oldest_browser_makes_room(http: httpx.AsyncClient, world: FakeWorld) -> None:
    grace = bearer(world.agent_token())
    for number in range(SUBSCRIPTIONS_MAX + 2):
        world.now += timedelta(seconds=1)
        answer = await http.post(
            "/v1/agents/me/push_subscriptions", headers=grace, json=subscription(number)
        )
        assert answer.status_code == 201
    found = world.directory.find(ACME)
    assert found is not None
    endpoints = [each.endpoint for each in found.push_subscriptions_of(GRACE)]
    assert endpoints == [subscription(each)["endpoint"] for each in range(2, SUBSCRIPTIONS_MAX + 2)]


@pytest.mark.parametrize(
    "body",
    [
        subscription(endpoint="http://push.example.com/1"),
        subscription(endpoint="https://127.0.0.1/1"),
        subscription(endpoint="https://169.254.169.254/latest/meta-data"),
        subscription(endpoint="https://user:pw@push.example.com/1"),
        subscription(endpoint="no address"),
        subscription(keys={**KEYS, "p256dh": "AAAA"}),
        subscription(keys={**KEYS, "auth": "not base64!"}),
        subscription(keys={"auth": "A" * 22}),
    ],
)
async def test_what_no_browser_gives_is_refused(
    http: httpx.AsyncClient, world: FakeWorld, body: dict[str, Any]
) -> None:
    grace = bearer(world.agent_token())
    answer = await http.post("/v1/agents/me/push_subscriptions", headers=grace, json=body)
    assert answer.status_code == 422, answer.text


async def test_the_push_key_is_the_public_half() -> None:
    # RFC 8292's own example key pair would do; this one is the generator itself: private key 1.
    one = "A" * 42 + "E"
    public = public_key_of(one)
    assert public.startswith("BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKW")


async def test_where_nobody_pushes_it_says_so(http: httpx.AsyncClient, world: FakeWorld) -> None:
    shown = json_of(await http.get("/v1/push_key", headers=bearer(world.agent_token())), 200)
    assert shown == {"public_key": "BPublicKey"}


async def test_chat_hooks_are_shown_in_part_and_kept_when_given_back(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    key = bearer(ACME_KEY)
    secret = "https://hooks.slack.com/services/T0/B0/verysecret"
    patch = {"alerts": {"chat_hooks": [secret]}}
    shown = json_of(await http.patch("/v1/workspace", headers=key, json=patch), 200)["alerts"]["chat_hooks"]
    assert "verysecret" not in str(shown)
    assert shown[0].startswith("https://hooks.slack.com/")
    second = "https://hooks.slack.com/services/T0/B0/another"
    both = {"alerts": {"chat_hooks": [*shown, second]}}
    assert (await http.patch("/v1/workspace", headers=key, json=both)).status_code == 200
    assert world.workspace().settings.alerts.chat_hooks == (secret, second)
    wrong = {"alerts": {"escalation": ["pigeon"]}}
    assert (await http.patch("/v1/workspace", headers=key, json=wrong)).status_code == 422
