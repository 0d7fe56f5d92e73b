"""Visitors in the browser on the whole stack: sessions, signs, and those who fall silent or leave."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import jwt

from rondo_common.system_clock import utc_now
from tests.e2e.client import Caller, Workspace, eventually, new_workspace

SHOP = "https://shop.example"


class Page(Caller):
    """A page of the shop, as a browser calls from it."""

    def __init__(self, http: httpx.AsyncClient, token: str | None = None) -> None:
        credential = {} if token is None else {"Authorization": f"Bearer {token}"}
        super().__init__(http, {"Origin": SHOP, **credential})


async def a_shop(root: Caller, **settings: object) -> tuple[Workspace, str]:
    """A workspace with Grace and an allowed origin; and its site key."""
    workspace = await new_workspace(root, allowed_origins=[SHOP], **settings)
    await workspace.agents("grace")
    return workspace, (await workspace.get("/v1/workspace"))["site_key"]


async def begin(root: Caller, site_key: str, token: str | None = None, **body: object) -> Any:
    return await Page(root.http, token).post("/v1/visitor_sessions", {"site_key": site_key, **body})


async def test_a_visitor_of_the_widget_asks_signs_in_and_talks(root: Caller) -> None:
    workspace, site_key = await a_shop(root)
    anonymous = await begin(root, site_key)
    ada = Page(root.http, anonymous["visitor_token"])
    asked = await ada.post("/v1/conversations", {"route": {"type": "round_robin"}})
    assert asked["visitor"]["id"] == anonymous["visitor_id"]
    path = f"/v1/conversations/{asked['id']}"
    await workspace.until(asked["id"], "offered")
    grace = await workspace.agent("grace")
    await grace.post(f"{path}/accept")

    rotated = await workspace.post("/v1/workspace/identity_secret")
    claims = {"sub": "u-17", "exp": int(utc_now().timestamp()) + 600, "first_name": "Ada"}
    identity = jwt.encode(claims, rotated["identity_secret"], algorithm="HS256")
    known = await begin(
        root,
        site_key,
        ada.headers["Authorization"].split()[1],
        identity=identity,
        visitor_id=anonymous["visitor_id"],
    )
    assert known["visitor_id"] == "u-17"
    ada = Page(root.http, known["visitor_token"])
    async with (
        ada.stream(f"{path}/stream") as widget,
        grace.stream("/v1/agents/me/stream") as inbox,
    ):
        assert (await widget.next()).type == "snapshot"
        before = await inbox.next()
        assert before.type == "snapshot"
        await ada.post(f"{path}/typing")
        sign = await inbox.until("typing")
        assert sign.data["author"] == {"type": "visitor", "id": anonymous["visitor_id"]}
        assert sign.cursor == before.cursor  # It has none: a reader goes on after what came before.
        message = {"client_message_id": "1", "text": "Hej! \u200f👩‍💻"}
        said = await ada.post(f"{path}/messages", message)
        assert (await inbox.until("message.posted")).data["text"] == message["text"]
        await grace.post(f"{path}/typing")
        assert (await widget.until("typing")).data["author"] == {"type": "agent", "id": "grace"}
        for _ in range(2):
            await grace.post(f"{path}/read", {"message_id": said["id"]})
        read = await widget.until("messages.read")
        assert read.data["message_id"] == said["id"]
        assert read.data["reader"] == {"type": "agent", "id": "grace"}
        await ada.post(f"{path}/end")
        assert (await widget.next()).type == "conversation.ended"


async def test_a_page_of_another_website_begins_nothing(root: Caller) -> None:
    _, site_key = await a_shop(root)
    answer = await root.http.post(
        "/v1/visitor_sessions", json={"site_key": site_key}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


async def test_a_silent_chat_ends_after_a_warning_that_both_sides_hear(root: Caller) -> None:
    workspace, _ = await a_shop(root, idle_timeout_s=5)
    asked, grace, ada = await workspace.connected("grace")
    path = f"/v1/conversations/{asked['id']}"
    async with ada.stream(f"{path}/stream") as widget, grace.stream("/v1/agents/me/stream") as inbox:
        for stream in (widget, inbox):
            warned = await stream.until("conversation.idle_warning")
            assert warned.event["conversation_id"] == asked["id"]
            assert warned.data["ends_at"] > warned.event["occurred_at"]
            assert (await stream.until("conversation.ended")).data["reason"] == "idle"
    ended = await workspace.conversation(asked["id"])
    assert ended["ended"]["by"] == {"type": "system", "id": "rondo"}
    late = await ada.call("POST", f"{path}/messages", {"client_message_id": "1", "text": "late"})
    assert late.status_code == 409


async def test_whoever_writes_keeps_a_chat_alive(root: Caller) -> None:
    workspace, _ = await a_shop(root, idle_timeout_s=5)
    asked, grace, ada = await workspace.connected("grace")
    path = f"/v1/conversations/{asked['id']}"
    async with ada.stream(f"{path}/stream") as widget:
        await widget.until("conversation.idle_warning")
        await grace.post(f"{path}/messages", {"client_message_id": "1", "text": "still there?"})
        # Another warning comes instead of the end.
        assert (await widget.until("message.posted")).data["text"] == "still there?"
        assert (await widget.next()).type == "conversation.idle_warning"


async def test_a_visitor_who_leaves_while_waiting_withdraws(root: Caller) -> None:
    workspace, _ = await a_shop(root, visitor_lease_s=1)
    asked = await workspace.ask()
    other = await workspace.ask()
    ada = workspace.bearer(asked["visitor_token"])
    await workspace.until(asked["id"], "offered")
    async with ada.stream(f"/v1/conversations/{asked['id']}/stream") as widget:
        await widget.next()
    gone = await workspace.until(asked["id"], "withdrawn")
    assert gone["status"] == "withdrawn"
    assert (await workspace.conversation(other["id"]))["status"] == "offered"


async def test_a_limit_holds_however_many_call_at_once(root: Caller) -> None:
    workspace, _ = await a_shop(root, rate_limits={"visitor_messages_per_minute": 20})
    asked, _, ada = await workspace.connected("grace")
    path = f"/v1/conversations/{asked['id']}/messages"
    answers = await asyncio.gather(
        *(ada.call("POST", path, {"client_message_id": str(n), "text": "x"}) for n in range(40))
    )
    taken = [each.status_code for each in answers]
    assert taken.count(201) in {20, 21}  # One more has been earned if all of it took three seconds.
    assert set(taken) == {201, 429}
    refused = next(each for each in answers if each.status_code == 429)
    assert int(refused.headers["retry-after"]) >= 1

    async def read_all() -> bool | None:
        page = await ada.get(f"{path}?limit=100")
        return len(page["data"]) == taken.count(201) or None

    assert await eventually(read_all, "all that was taken, and nothing else, in the history")
