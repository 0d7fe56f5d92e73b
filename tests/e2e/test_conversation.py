"""One conversation from the first request to the transcript, as both sides live it."""

from __future__ import annotations

from rondo_common.events import EVENT_TYPES
from tests.e2e.client import Workspace
from tests.e2e.conftest import RunningStack
from tests.e2e.topics import events_of_conversation


async def test_a_visitor_asks_an_agent_is_rung_they_talk_and_the_transcript_stays(
    workspace: Workspace, running: RunningStack
) -> None:
    await workspace.agents("grace")
    grace = await workspace.agent("grace")
    async with grace.stream("/v1/agents/me/stream") as ringing:
        assert (await ringing.next()).type == "snapshot"
        asked = await workspace.ask(page={"url": "https://example.com/pricing"})
        ring = await ringing.until("assignment.offered")
        assert ring.event["conversation_id"] == asked["id"]
        assert ring.data["request"]["page"]["url"] == "https://example.com/pricing"

        path = f"/v1/conversations/{asked['id']}"
        accepted = await grace.post(f"{path}/accept")
        assert (accepted["status"], accepted["agent"]["name"]) == ("active", "Grace")
        ada = workspace.bearer(asked["visitor_token"])
        await ada.post(f"{path}/messages", {"client_message_id": "1", "text": "Hej! 👋"})
        await grace.post(f"{path}/messages", {"client_message_id": "1", "text": "<b>Hej</b>"})
        said = await ringing.until("message.posted")
        assert said.data["text"] == "Hej! 👋"
        ended = await ada.post(f"{path}/end")
        assert (ended["status"], ended["ended"]["reason"]) == ("ended", "visitor_ended")

    transcript = await workspace.transcript(asked["id"], messages=2)
    assert [line["text"] for line in transcript["lines"] if line["type"] == "message"] == [
        "Hej! 👋",
        "<b>Hej</b>",
    ]
    bootstrap = running.env["RONDO_KAFKA_BOOTSTRAP"]
    told = await events_of_conversation(bootstrap, workspace.id, asked["id"])
    assert {event.get_type() for event in told} <= set(EVENT_TYPES)
    assert [event.get_type() for event in told if event.get_source() == "/rondo/router"] == [
        "rondo.assignment.offered.v1",
        "rondo.assignment.accepted.v1",
        "rondo.conversation.ended.v1",
    ]
    assert all(event.get_extension("rondoworkspace") == workspace.id for event in told)


async def test_a_message_repeated_is_the_same_message_and_none_is_taken_after_the_end(
    workspace: Workspace,
) -> None:
    await workspace.agents("grace")
    asked, grace, ada = await workspace.connected("grace")
    path = f"/v1/conversations/{asked['id']}"
    message = {"client_message_id": "m-1", "text": "once"}
    first = await ada.call("POST", f"{path}/messages", message)
    again = await ada.call("POST", f"{path}/messages", message)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    await grace.post(f"{path}/end")
    await grace.post(f"{path}/end")
    late = await ada.call("POST", f"{path}/messages", {"client_message_id": "m-2", "text": "late"})
    assert late.status_code == 409
    transcript = await workspace.transcript(asked["id"], messages=1)
    assert [line["id"] for line in transcript["lines"] if line["type"] == "message"] == [first.json()["id"]]


async def test_whoever_said_or_ended_it_reads_it_at_once(workspace: Workspace) -> None:
    await workspace.agents("grace")
    asked, grace, ada = await workspace.connected("grace")
    path = f"/v1/conversations/{asked['id']}"
    for number in range(5):
        side = (ada, grace)[number % 2]
        message = {"client_message_id": f"m-{number}", "text": f"message {number}"}
        posted = await side.post(f"{path}/messages", message)
        read = await ada.get(f"{path}/messages")
        assert read["data"][-1]["id"] == posted["id"]
        assert len(read["data"]) == number + 1
    await ada.post(f"{path}/end")
    transcript = await grace.get(f"{path}/transcript")
    assert transcript["lines"][-1]["event"] == "conversation.ended"


async def test_a_visitor_who_leaves_takes_the_ring_away(workspace: Workspace) -> None:
    await workspace.agents("grace", capacity=1)
    grace = await workspace.agent("grace")
    async with grace.stream("/v1/agents/me/stream") as ringing:
        asked = await workspace.ask()
        await ringing.until("assignment.offered")
        ada = workspace.bearer(asked["visitor_token"])
        left = await ada.post(f"/v1/conversations/{asked['id']}/withdraw")
        assert left["status"] == "withdrawn"
        rescinded = await ringing.until("assignment.rescinded")
        assert rescinded.event["conversation_id"] == asked["id"]
    late = await grace.call("POST", f"/v1/conversations/{asked['id']}/accept")
    assert (late.status_code, late.json()["type"]) == (409, "urn:rondo:error:offer-expired")
    again = await workspace.ask()
    assert (await workspace.settled(again["id"]))["offer"]["agent_id"] == "grace"


async def test_nobody_there_is_told_with_the_fallback(workspace: Workspace) -> None:
    await workspace.call("PATCH", "/v1/workspace", {"fallback": {"message": "Back at nine."}})
    asked = await workspace.ask()
    told = await workspace.settled(asked["id"])
    assert (told["status"], told["fallback"]["reason"]) == ("fell_back", "nobody_available")
    assert told["fallback"]["message"] == "Back at nine."
