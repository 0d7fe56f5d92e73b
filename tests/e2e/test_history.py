"""What is kept: lists, search, reports, erasure, and an archive that was away for a while."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

from tests.e2e.client import Caller, Json, Workspace, at_most, eventually
from tests.e2e.conftest import RunningStack

LISTED = "/v1/conversations"


async def say(party: Caller, conversation_id: str, number: int, text: str) -> None:
    body = {"client_message_id": f"m-{number}", "text": text}
    await party.post(f"{LISTED}/{conversation_id}/messages", body)


async def found_by(workspace: Workspace, query: str, *ids: str) -> list[str]:
    async def found() -> list[str] | None:
        listed = await workspace.get(f"{LISTED}?{query}")
        known = [each["id"] for each in listed["data"]]
        return known if known == list(ids) else None

    return await eventually(found, f"{query} to find {ids}")


async def test_a_list_has_what_was_asked_just_now_as_it_is_now(workspace: Workspace) -> None:
    await workspace.agents("grace", "bob")
    for _ in range(5):
        asked = await workspace.ask(to="grace")
        listed = await workspace.get(f"{LISTED}?limit=1")
        assert [each["id"] for each in listed["data"]] == [asked["id"]]
    shown = await workspace.settled(asked["id"])
    (first, *rest) = (await workspace.get(LISTED))["data"]
    assert (first, len(rest)) == (shown, 4)
    grace = await workspace.agent("grace")
    assert len((await grace.get(f"{LISTED}?status=offered"))["data"]) == 5
    assert (await (await workspace.agent("bob")).get(LISTED))["data"] == []


async def test_what_was_said_is_found_reported_and_erased(
    workspace: Workspace, running: RunningStack
) -> None:
    await workspace.agents("grace")
    secret = {"id": "v-secret", "first_name": "SECRET"}
    conversation = await workspace.ask(to="grace", visitor=secret)
    await workspace.until(conversation["id"], "offered")
    grace = await workspace.agent("grace")
    path = f"{LISTED}/{conversation['id']}"
    await grace.post(f"{path}/accept")
    await say(
        workspace.bearer(conversation["visitor_token"]), conversation["id"], 1, "Jag vill köpa 東京の船"
    )
    await say(grace, conversation["id"], 1, "Välkommen")
    for query in ("q=KOPA", "q=%E6%9D%B1%E4%BA%AC", "q=%E8%88%B9", "visitor_id=v-secret"):
        await found_by(workspace, query, conversation["id"])

    async def counted() -> Json | None:
        (row,) = (await workspace.get("/v1/reports/live_chat?group_by=agent"))["data"]
        return row if row["first_response_s"]["p50"] is not None else None

    row = await eventually(counted, "the first answer to be reported")
    assert (row["group"], row["requested"], row["offered"], row["accepted"]) == ("grace", 1, 1, 1)
    erased = await workspace.call("DELETE", "/v1/visitors/v-secret")
    assert erased.status_code == 202, erased.text
    await found_by(workspace, "visitor_id=v-secret")

    redis = Redis.from_url(running.env["RONDO_REDIS_URL"], decode_responses=True)

    async def forgotten() -> bool | None:
        answers = [await workspace.call("GET", path), await workspace.call("GET", f"{path}/transcript")]
        gone = all(answer.status_code == 404 for answer in answers)
        mailbox = f"rondo:{{{workspace.id}}}:mailbox:agent:grace"
        entries: Any = await redis.xrange(mailbox)
        told = [fields["event"] for _, fields in entries]
        return True if gone and not any("SECRET" in each or "東京" in each for each in told) else None

    await eventually(forgotten, "the visitor to be forgotten everywhere")
    await redis.aclose()
    (row,) = (await workspace.get("/v1/reports/live_chat"))["data"]
    assert (row["requested"], row["accepted"]) == (1, 1)


async def test_an_archive_that_was_away_under_load_has_everything_afterwards(
    workspace: Workspace, running: RunningStack
) -> None:
    await workspace.agents("grace", capacity=50)
    conversation, agent, visitor = await workspace.connected("grace")
    await found_by(workspace, "status=active", conversation["id"])
    running.kill("postgres")
    try:
        refused = await workspace.call("GET", LISTED)
        said = range(200)
        await at_most(20, (say(visitor, conversation["id"], n, f"line {n}") for n in said))
        asked = await at_most(10, (workspace.ask(to="grace") for _ in range(20)))
        await agent.post(f"{LISTED}/{conversation['id']}/end")
    finally:
        await running.heal()
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    transcript = await workspace.transcript(conversation["id"], messages=len(said))
    texts = [line["text"] for line in transcript["lines"] if line["type"] == "message"]
    assert sorted(texts) == sorted(f"line {n}" for n in said)

    async def all_listed() -> bool | None:
        answer = await workspace.call("GET", f"{LISTED}?limit=200")
        if answer.status_code != 200:
            return None
        listed = {each["id"] for each in answer.json()["data"]}
        return True if listed == {conversation["id"], *(each["id"] for each in asked)} else None

    await eventually(all_listed, "every conversation to be listed")
