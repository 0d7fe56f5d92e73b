"""Two gateways on the real Kafka and Redis: what one has answered, the other knows."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import SecretStr
from redis.asyncio import Redis

from rondo_common.ids import WorkspaceId
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.partitioning import partition_of
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.redis.keys import epoch_key, presence_key
from rondo_common.tasks import end_tasks
from rondo_common.topics import CHAT_REQUESTS, DIRECTORY, TOPICS, Topic
from rondo_gateway.bootstrap import Gateway, build_gateway
from rondo_gateway.settings import GatewaySettings
from tests.gateway.fake_world import ROOT_KEY, TOKEN_SECRET, bearer, client_of, json_of

DEADLINE_S = 60.0
IMPORT_DEADLINE_S = 120.0
AGENT = {"name": "Grace", "email": "grace@example.com"}


@asynccontextmanager
async def running(settings: GatewaySettings) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway that runs, and a client of it."""
    gateway: Gateway = build_gateway(settings)
    stop = asyncio.Event()
    tasks = [asyncio.create_task(part(stop)) for part in gateway.alongside]
    try:
        async with client_of(gateway.app) as http:
            await _ready(http)
            yield http
    finally:
        stop.set()
        await end_tasks(tasks)
        await gateway.close()


async def _ready(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while (await http.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def kafka_bootstrap(own_kafka_bootstrap: str) -> str:
    """See :func:`own_kafka_bootstrap`."""
    return own_kafka_bootstrap


@pytest.fixture
async def settings(kafka_bootstrap: str, redis_url: str) -> GatewaySettings:
    connection = KafkaConnection(kafka_bootstrap, client_id="tests")
    await create_topics(connection, TOPICS, replication_factor=1)
    return GatewaySettings(
        kafka_bootstrap=kafka_bootstrap,
        redis_url=redis_url,
        http_port=0,
        root_key=SecretStr(ROOT_KEY),
        token_secret=SecretStr(TOKEN_SECRET),
        history_url="http://127.0.0.1:9",  # Nobody listens on the discard port.
    )


@pytest.fixture
async def gateways(settings: GatewaySettings) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with running(settings) as one, running(settings) as other:
        yield [one, other]


async def _new_workspace(http: httpx.AsyncClient) -> tuple[WorkspaceId, dict[str, str]]:
    workspace_id = WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")
    body = {"id": workspace_id, "name": "Together"}
    created = json_of(await http.post("/v1/workspaces", headers=bearer(ROOT_KEY), json=body), 201)
    return workspace_id, bearer(created["api_key"])


async def _requests_of(settings: GatewaySettings, workspace_id: WorkspaceId) -> list[dict[str, Any]]:
    """What stands on the topic of chat requests for a workspace: each record's id and value."""
    return [value for _, value in await _records_of(settings, CHAT_REQUESTS, workspace_id)]


async def _agents_of(settings: GatewaySettings, workspace_id: WorkspaceId) -> list[dict[str, Any]]:
    """The workspace's agents as the directory's records define them, in the order of the records."""
    records = await _records_of(settings, DIRECTORY, workspace_id)
    return [value["agent"] for key, value in records if f"{workspace_id}/agent/" in key]


async def _records_of(
    settings: GatewaySettings, topic: Topic, workspace_id: WorkspaceId
) -> list[tuple[str, dict[str, Any]]]:
    """The key and value of each record of a workspace, the value with the record's id."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        partition = TopicPartition(topic.name, partition_of(topic, workspace_id, ""))
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        found: list[tuple[str, dict[str, Any]]] = []
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                found += [
                    (
                        record.key.decode(),
                        {"id": dict(record.headers)["ce_id"].decode(), **json.loads(record.value)},
                    )
                    for record in records
                    if record.key.decode().partition("/")[0] == workspace_id and record.value
                ]
        return found
    finally:
        await consumer.stop()


async def test_what_one_gateway_answered_the_other_knows(gateways: list[httpx.AsyncClient]) -> None:
    one, other = gateways
    for _ in range(5):
        _, key = await _new_workspace(one)
        assert (await one.put("/v1/agents/grace", headers=key, json=AGENT)).status_code == 201
        read = await other.get("/v1/agents/grace", headers=key)
        assert json_of(read, 200)["capacity"] == 10
        await one.patch("/v1/workspace", headers=key, json={"agent_capacity": 3})
        assert json_of(await other.get("/v1/agents/grace", headers=key), 200)["capacity"] == 3
        ask = {"route": {"type": "agent", "agent_id": "alan"}}
        await one.put("/v1/agents/alan", headers=key, json=AGENT)
        assert (await other.post("/v1/conversations", headers=key, json=ask)).status_code == 202


async def test_a_session_begun_at_one_gateway_goes_on_at_the_other_and_ends_at_both(
    gateways: list[httpx.AsyncClient],
) -> None:
    one, other = gateways
    _, key = await _new_workspace(one)
    assert (await one.put("/v1/agents/grace", headers=key, json=AGENT)).status_code == 201
    link = json_of(await one.post("/v1/agents/grace/sign_in_links", headers=key), 201)
    token = {"token": link["url"].partition("#token=")[2]}
    tried = await asyncio.gather(*(each.post("/v1/sessions", json=token) for each in [one, other] * 5))
    (begun,) = (each for each in tried if each.status_code == 201)
    assert {each.status_code for each in tried if each is not begun} == {401}
    cookie = {"Cookie": begun.headers["set-cookie"].partition(";")[0]}
    csrf = {"X-CSRF-Token": begun.json()["csrf_token"]}
    for each in gateways:
        each.cookies.clear()
        assert json_of(await each.get("/v1/session", headers=cookie), 200)["agent"]["id"] == "grace"
    assert (await other.delete("/v1/session", headers=cookie | csrf)).status_code == 204
    for each in gateways:
        assert (await each.get("/v1/session", headers=cookie)).status_code == 401


async def test_settings_changed_at_two_gateways_at_once_are_all_kept(
    gateways: list[httpx.AsyncClient],
) -> None:
    _, key = await _new_workspace(gateways[0])
    patches: list[dict[str, Any]] = [
        {"offer_timeout_s": 7},
        {"agent_capacity": 8},
        {"live_chat_enabled": False},
        {"offer_attempts": {"agent": 9}},
        {"fallback": {"offer_meeting": True}},
    ]
    answers = await asyncio.gather(
        *(
            gateways[number % 2].patch("/v1/workspace", headers=key, json=patch)
            for number, patch in enumerate(patches)
        )
    )
    assert [answer.status_code for answer in answers] == [200] * len(patches)
    for http in gateways:
        own = json_of(await http.get("/v1/workspace", headers=key), 200)
        assert (own["offer_timeout_s"], own["agent_capacity"]) == (7, 8)
        assert (own["live_chat_enabled"], own["offer_attempts"]["agent"]) == (False, 9)
        assert own["fallback"]["offer_meeting"] is True


async def test_agents_who_join_at_both_at_once_have_places_of_their_own(
    gateways: list[httpx.AsyncClient], settings: GatewaySettings
) -> None:
    workspace_id, key = await _new_workspace(gateways[0])
    answers = await asyncio.gather(
        *(
            gateways[number % 2].put(f"/v1/agents/a{number}", headers=key, json=AGENT)
            for number in range(40)
        )
    )
    assert [answer.status_code for answer in answers] == [201] * 40
    places = {each["id"]: each["place"] for each in await _agents_of(settings, workspace_id)}
    assert sorted(places.values()) == list(range(1, 41))
    again = await gateways[1].put("/v1/agents/a0", headers=key, json={**AGENT, "capacity": 2})
    assert again.status_code == 200
    assert (await _agents_of(settings, workspace_id))[-1]["place"] == places["a0"]


async def test_of_writes_that_know_the_same_version_one_is_taken(
    gateways: list[httpx.AsyncClient],
) -> None:
    _, key = await _new_workspace(gateways[0])
    team = {"name": "Sales", "agent_ids": []}
    created = await gateways[0].put("/v1/teams/sales", headers=key, json=team)
    headers = {**key, "If-Match": created.headers["etag"]}
    answers = await asyncio.gather(
        *(
            gateways[number % 2].put("/v1/teams/sales", headers=headers, json=team | {"name": f"{number}"})
            for number in range(8)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    (taken,) = (answer for answer in answers if answer.status_code == 200)
    for http in gateways:
        assert json_of(await http.get("/v1/teams/sales", headers=key), 200)["name"] == taken.json()["name"]


async def _as_often_as_it_takes(call: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Call as a client should: what is not taken, because a busy machine lags, is repeated."""
    async with asyncio.timeout(IMPORT_DEADLINE_S):
        while (answer := await call()).status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            await asyncio.sleep(int(answer.headers["Retry-After"]))
        return answer


async def test_an_import_at_one_is_known_at_the_other(gateways: list[httpx.AsyncClient]) -> None:
    one, other = gateways
    _, key = await _new_workspace(one)
    await one.put("/v1/agents/grace", headers=key, json=AGENT)
    lines = "".join(f"Company {number},company-{number}.com,grace\n" for number in range(50_000))
    headers = {**key, "Content-Type": "text/csv"}
    text = f"company,domain,owner\n{lines}bad,line\n"
    asked = partial(one.post, "/v1/accounts/import", headers=headers, content=text)
    report = json_of(await _as_often_as_it_takes(asked), 200)
    assert report["imported"] == 50_000
    assert [each["line"] for each in report["rejected"]] == [50_002]
    listing = partial(other.get, "/v1/accounts?limit=200", headers=key)
    listed = json_of(await _as_often_as_it_takes(listing), 200)
    account = listed["data"][-1]
    deleted = await other.delete(f"/v1/accounts/{account['id']}", headers=key)
    assert deleted.status_code == 204
    assert (await one.get(f"/v1/accounts/{account['id']}", headers=key)).status_code == 404


async def test_a_workspace_asked_for_at_both_at_once_is_made_once(
    gateways: list[httpx.AsyncClient],
) -> None:
    body = {"id": f"w-{uuid.uuid4().hex[:12]}", "name": "Once"}
    answers = await asyncio.gather(
        *(http.post("/v1/workspaces", headers=bearer(ROOT_KEY), json=body) for http in gateways * 3)
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5


async def test_fifty_retries_over_both_are_one_fact_that_knows_the_directory(
    gateways: list[httpx.AsyncClient], settings: GatewaySettings
) -> None:
    workspace_id, key = await _new_workspace(gateways[0])
    put = await gateways[0].put("/v1/agents/grace", headers=key, json=AGENT)
    version = int(put.headers["etag"].strip('"'))
    headers = {**key, "Idempotency-Key": "k"}
    ask = {"route": {"type": "round_robin"}}
    answers = await asyncio.gather(
        *(gateways[number % 2].post("/v1/conversations", headers=headers, json=ask) for number in range(50))
    )
    conversations = [json_of(answer, 202) for answer in answers]
    assert len({each["id"] for each in conversations}) == 1
    assert len({each["visitor"]["id"] for each in conversations}) == 1
    written = await _requests_of(settings, workspace_id)
    assert len({each["id"] for each in written}) == 1
    assert {each["directory_offset"] for each in written} == {version + 1}
    assert len({json.dumps(each, sort_keys=True) for each in written}) == 1


async def test_what_one_deleted_opens_nothing_at_the_other(gateways: list[httpx.AsyncClient]) -> None:
    one, other = gateways
    workspace_id, key = await _new_workspace(one)
    await one.delete(f"/v1/workspaces/{workspace_id}", headers=bearer(ROOT_KEY))
    assert (await one.get("/v1/agents", headers=key)).status_code == 401
    async with asyncio.timeout(DEADLINE_S):
        while (await other.get("/v1/agents", headers=key)).status_code != 401:
            await asyncio.sleep(0.05)


async def test_a_gateway_that_reaches_nothing_says_so(settings: GatewaySettings) -> None:
    nowhere = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:9/0")})
    gateway = build_gateway(nowhere)
    try:
        async with client_of(gateway.app) as http:
            ready = json_of(await http.get("/readyz"), 503)
            assert set(ready["checks"]) == {"kafka", "redis", "process"}
            assert "out of reach" in ready["checks"]["redis"]
            body = {"id": "w-nowhere", "name": "Nowhere"}
            answer = await http.post("/v1/workspaces", headers=bearer(ROOT_KEY), json=body)
            assert answer.status_code == 503
    finally:
        await gateway.close()


async def test_an_agent_who_comes_is_announced_once_over_both_and_knows_the_directory(
    gateways: list[httpx.AsyncClient], settings: GatewaySettings, redis: Redis
) -> None:
    workspace_id, key = await _new_workspace(gateways[0])
    await redis.set(epoch_key(workspace_id), "1")  # A router serves it.
    put = await gateways[0].put("/v1/agents/grace", headers=key, json=AGENT)
    version = int(put.headers["etag"].strip('"'))
    issued = json_of(await gateways[0].post("/v1/agents/grace/token", headers=key), 201)
    for http in gateways * 3:
        opened = await http.head("/v1/agents/me/stream", headers=bearer(issued["token"]))
        assert opened.status_code == 200
    (connected,) = await _requests_of(settings, workspace_id)
    assert connected["agent_id"] == "grace"
    assert connected["directory_offset"] == version + 1
    assert await redis.zscore(presence_key(workspace_id), "grace") is not None


async def test_while_what_redis_lost_is_brought_back_nothing_is_said_to_be_unknown(
    gateways: list[httpx.AsyncClient], redis: Redis
) -> None:
    workspace_id, key = await _new_workspace(gateways[0])
    for path in ("/v1/conversations/cnv_lost", "/v1/conversations/cnv_lost/stream"):
        refused = await gateways[0].get(path, headers=key)
        assert json_of(refused, 503)["type"] == "urn:rondo:error:unavailable"
        assert int(refused.headers["retry-after"]) > 0
    await redis.set(epoch_key(workspace_id), "1")
    for http in gateways:
        # Only history could still know it, and there is none here.
        unknown = json_of(await http.get("/v1/conversations/cnv_lost", headers=key), 503)
        assert "history" in unknown["detail"]
        assert (await http.get("/v1/conversations/cnv_lost/stream", headers=key)).status_code == 404
