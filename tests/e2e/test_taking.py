"""A lead takes a visitor from the queue, and what comes of it is everywhere it belongs."""

from __future__ import annotations

from tests.e2e.client import Caller, Json, eventually, new_workspace


async def test_a_chat_taken_from_the_queue_is_read_rated_and_reported(root: Caller) -> None:
    workspace = await new_workspace(root, queue={"enabled": True})
    await workspace.agents("grace", capacity=1)
    await workspace.agents("lead", profile="sales_admin", schedule=[], capacity=1)
    await workspace.connected("grace")
    asked = [await workspace.ask() for _ in range(2)]
    for each in asked:
        await workspace.until(each["id"], "queued")
    lead, path = await workspace.agent("lead"), f"/v1/conversations/{asked[1]['id']}"
    visitor = workspace.bearer(asked[1]["visitor_token"])

    taken = await lead.post(f"{path}/take")
    assert (taken["status"], taken["agent"]["id"]) == ("active", "lead")
    assert (await lead.post(f"{path}/take"))["status"] == "active"
    full = await lead.call("POST", f"/v1/conversations/{asked[0]['id']}/take")
    assert (full.status_code, full.json()["type"]) == (409, "urn:rondo:error:agent-at-capacity")
    roster = {each["id"]: each for each in (await lead.get("/v1/roster"))["data"]}
    assert [(each, roster[each]["load"], roster[each]["capacity"]) for each in sorted(roster)] == [
        ("grace", 1, 1),
        ("lead", 1, 1),
    ]
    assert (roster["lead"]["available"], roster["lead"]["present"]) == (False, True)

    await visitor.post(f"{path}/messages", {"client_message_id": "v-1", "text": "Hello?"})
    unread = await lead.get("/v1/agents/me/unread")
    assert unread["data"] == [{"conversation_id": asked[1]["id"], "unread": 1}]
    async with visitor.stream(f"{path}/stream") as stream:
        snapshot = await stream.next()
        while not (messages := snapshot.data.get("messages", [])):
            messages = [{**(await stream.until("message.posted")).data}]
        assert messages[0]["client_message_id"] == "v-1"
        await lead.post(f"{path}/end")
        await stream.until("conversation.ended")
        early_score = await visitor.post(f"{path}/rating", {"score": 3})
        assert early_score["score"] == 3
        assert (await stream.until("conversation.rated")).data["rating"]["score"] == 3
    await visitor.post(f"{path}/rating", {"score": 5, "comment": "Worth the wait"})
    assert (await lead.get(path))["rating"]["comment"] == "Worth the wait"

    async def reported() -> Json | None:
        report = await workspace.get("/v1/reports/live_chat?group_by=agent")
        rows = {row["group"]: row["rating"] for row in report["data"]}
        return rows if rows.get("lead", {}).get("average") == 5 else None

    rows = await eventually(reported, "the rating in the report")
    assert rows["grace"] == {"count": 0, "average": None}
    transcript = await visitor.get(f"{path}/transcript")
    assert transcript["rating"]["score"] == 5
    assert transcript["lines"][-1]["text"] == "The visitor rated the chat 5 of 5."
    (attempt,) = (await lead.get(f"{path}/assignments"))["data"]
    assert (attempt["stage"], attempt["outcome"], attempt["agent"]["id"]) == ("taken", "accepted", "lead")
