"""Who waits is told where they stand, and who is talked to is told nothing of a transfer under way."""

from __future__ import annotations

from tests.e2e.client import Caller, new_workspace


async def test_a_place_is_told_live_whenever_it_changes_and_nothing_is_missed_after_it(
    root: Caller,
) -> None:
    workspace = await new_workspace(root, queue={"enabled": True})
    await workspace.agents("grace", capacity=1)
    talk, grace, _ = await workspace.connected("grace")
    asked = [await workspace.ask() for _ in range(3)]
    for each in asked:
        await workspace.until(each["id"], "queued")
    last = workspace.bearer(asked[2]["visitor_token"])
    path = f"/v1/conversations/{asked[2]['id']}"
    async with last.stream(f"{path}/stream") as stream:
        snapshot = await stream.next()
        assert snapshot.data["conversation"]["queue"]["position"] == 3
        await workspace.post(f"/v1/conversations/{asked[0]['id']}/withdraw")
        while (told := await stream.until("conversation.queued")).data["queue"]["position"] != 2:
            pass
    await grace.post(f"/v1/conversations/{talk['id']}/end")
    async with last.stream(f"{path}/stream", told.cursor) as stream:
        while (told := await stream.until("conversation.queued")).data["queue"]["position"] != 1:
            pass
        await workspace.post(f"/v1/conversations/{asked[1]['id']}/withdraw")
        await stream.until("assignment.offered")
    shown = await last.get(path)
    assert (shown["status"], shown["queue"]) == ("offered", None)


async def test_a_transfer_is_seen_by_both_agents_and_not_by_the_visitor(root: Caller) -> None:
    workspace = await new_workspace(root)
    await workspace.agents("grace", "ada")
    talk, grace, visitor = await workspace.connected("grace")
    path = f"/v1/conversations/{talk['id']}"
    ada = await workspace.agent("ada")
    async with ada.stream("/v1/agents/me/stream") as ringing:
        await ringing.until("snapshot")
        handed = await grace.post(f"{path}/transfer", {"agent_id": "ada"})
        assert (handed["agent"]["id"], handed["offer"]["agent_id"]) == ("grace", "ada")
        await ringing.until("assignment.offered")
        # Heard a moment ago, and readable at once.
        assert (await ada.get(path))["offer"]["agent_id"] == "ada"
    assert (await visitor.get(path))["offer"] is None
    again = await grace.call("POST", f"{path}/transfer", {"agent_id": "ada"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:rondo:error:transfer-under-way")
    async with ada.stream("/v1/agents/me/stream") as ringing:
        snapshot = await ringing.next()
        assert [each["id"] for each in snapshot.data["open_offers"]] == [talk["id"]]
        assert snapshot.data["active_conversations"] == []
    await ada.post(f"{path}/accept")
    assert (await visitor.get(path))["agent"]["id"] == "ada"
    late = await grace.call("POST", f"{path}/messages", {"client_message_id": "1", "text": "Still me."})
    assert late.status_code == 403
    told = (await ada.get(f"{path}/assignments"))["data"]
    assert [(each["agent"]["id"], each["outcome"]) for each in told] == [
        ("grace", "accepted"),
        ("ada", "accepted"),
    ]
    assert told[1]["transferred_by"]["id"] == "grace"
