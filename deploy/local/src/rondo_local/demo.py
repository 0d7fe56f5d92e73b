"""The demo: one real conversation through the public API, told from the event topics as it happens."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from httpx_sse import aconnect_sse
from rich.console import Console

from rondo_command.surroundings import kafka
from rondo_local.env_file import read_env
from rondo_local.failures import DemoFailed
from rondo_local.layout import Layout
from rondo_local.story import Storyteller

Result = TypeVar("Result")

AGENTS = {"grace": "Grace Hopper", "katherine": "Katherine Johnson", "radia": "Radia Perlman"}
INBOX_AGENT = "grace"
INBOX_LINK_TTL_S = 3600
STEP_TIMEOUT_S = 20.0
TRANSCRIPT_POLL_S = 0.1

TALK = (
    ("visitor", "Hello! Is the team plan right for twelve people?"),
    ("agent", "Hi Ada, it is. Up to fifty, and you only pay for those who log in."),
    ("visitor", "Lovely, that answers it. Thank you! 👋"),
)


@dataclass(frozen=True)
class Api:
    """Rondo's public API, as one caller sees it."""

    http: httpx.AsyncClient
    headers: dict[str, str]

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call and return the answer's JSON. Raises DemoFailed with what Rondo answered."""
        answer = await self.http.request(method, path, json=body, headers=self.headers)
        if answer.is_error:
            raise DemoFailed(f"{method} {path} was refused: {answer.text}; see .local/log/gateway.log")
        return answer.json()

    def as_bearer(self, token: str) -> Api:
        """The same API as somebody else sees it."""
        return Api(self.http, {"Authorization": f"Bearer {token}"})


def main() -> None:
    """Play the demo on the running stack. Raises LocalFailure."""
    chosen = os.environ.get("RONDO_LOCAL_DIR")
    layout = Layout.under(Path(chosen)) if chosen else Layout.of_checkout()
    if not layout.env_file.exists():
        raise DemoFailed("the stack is down: run `make up` first")
    asyncio.run(_play(read_env(layout.env_file), layout))


async def _play(env: dict[str, str], layout: Layout) -> None:
    console = Console(highlight=False)
    async with (
        httpx.AsyncClient(base_url=env["RONDO_URL"], timeout=STEP_TIMEOUT_S) as http,
        Storyteller(kafka(env), console) as story,
    ):
        website = Api(http, {"Authorization": f"Bearer {env['RONDO_API_KEY']}"})
        desks = {agent_id: await _sign_in(website, agent_id) for agent_id in AGENTS}
        console.print("\n[bold]One real conversation[/], told from the event topics\n")
        async with _rings(desks) as first_ring:
            conversation = await website.call("POST", "/v1/conversations", _request())
            story.follow(conversation["id"])
            agent_id = await _in_time(first_ring(conversation["id"]), "no agent was rung")
        await _talk(website, desks[agent_id], conversation)
        await _in_time(story.ended(), "the end did not reach the topics")
        transcript = await _in_time(_transcript(website, conversation["id"]), "no transcript came")
        shop = await _shop(website, env["RONDO_URL"])
        inbox = await _inbox(website)
    console.print("\n[bold]The transcript[/], from PostgreSQL\n")
    console.print(transcript, markup=False)
    _say_where_things_are(console, shop, inbox, env, layout)


async def _sign_in(website: Api, agent_id: str) -> Api:
    name = AGENTS[agent_id]
    body = {"name": name, "email": f"{agent_id}@example.com"}
    await website.call("PUT", f"/v1/agents/{agent_id}", body)
    token = await website.call("POST", f"/v1/agents/{agent_id}/token", {"ttl_s": 3600})
    return website.as_bearer(token["token"])


async def _shop(website: Api, url: str) -> str:
    """Where the demo shop is, whose page may now open the widget. Its chats ring in the inbox that is
    linked beside it, so that whoever opens both can talk with themselves."""
    route = {"type": "agent", "agent_id": INBOX_AGENT}
    settings = {"allowed_origins": [url], "widget": {"route": route}}
    workspace = await website.call("PATCH", "/v1/workspace", settings)
    return f"{url}/demo/shop?site_key={workspace['site_key']}"


async def _inbox(website: Api) -> str:
    """Where the inbox signs the first agent in, once."""
    link = await website.call(
        "POST", f"/v1/agents/{INBOX_AGENT}/sign_in_links", {"ttl_s": INBOX_LINK_TTL_S}
    )
    return str(link["url"])


def _request() -> dict[str, Any]:
    return {
        "visitor": {
            "id": "ada",
            "first_name": "Ada",
            "last_name": "Byron",
            "email": "ada@example.com",
            "company": "Analytical Engines",
            "country": "SE",
        },
        "route": {"type": "round_robin"},
        "page": {"url": "https://example.com/pricing"},
        "answers": {"topic": "prices"},
    }


async def _talk(website: Api, agent: Api, conversation: dict[str, Any]) -> None:
    path = f"/v1/conversations/{conversation['id']}"
    await agent.call("POST", f"{path}/accept")
    sides = {"agent": agent, "visitor": website.as_bearer(conversation["visitor_token"])}
    for number, (side, text) in enumerate(TALK):
        message = {"client_message_id": f"demo-{number}", "text": text}
        await sides[side].call("POST", f"{path}/messages", message)
    await sides["visitor"].call("POST", f"{path}/end")


@contextlib.asynccontextmanager
async def _rings(desks: dict[str, Api]) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """Open every agent's live stream; gives a wait for the first agent a conversation rings."""
    rung: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    opened = [asyncio.Event() for _ in desks]
    streams = [
        asyncio.create_task(_listen(agent_id, api, is_open, rung))
        for (agent_id, api), is_open in zip(desks.items(), opened, strict=True)
    ]

    async def first_ring(conversation_id: str) -> str:
        while True:
            agent_id, rung_for = await rung.get()
            if rung_for == conversation_id:
                return agent_id

    try:
        for is_open in opened:
            await _in_time(is_open.wait(), "an agent's live stream did not open")
        yield first_ring
    finally:
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)


async def _listen(
    agent_id: str, api: Api, is_open: asyncio.Event, rung: asyncio.Queue[tuple[str, str]]
) -> None:
    path = "/v1/agents/me/stream"
    timeout = httpx.Timeout(STEP_TIMEOUT_S, read=None)
    async with aconnect_sse(api.http, "GET", path, headers=api.headers, timeout=timeout) as source:
        async for event in source.aiter_sse():
            is_open.set()
            if event.event == "assignment.offered":
                await rung.put((agent_id, json.loads(event.data)["conversation_id"]))


async def _transcript(website: Api, conversation_id: str) -> str:
    """The transcript, once the last line of the talk is in it."""
    path = f"/v1/conversations/{conversation_id}/transcript"
    while True:
        answer = await website.http.get(path, headers={**website.headers, "Accept": "text/plain"})
        if answer.is_success and TALK[-1][1] in answer.text and "ended" in answer.text:
            return answer.text
        await asyncio.sleep(TRANSCRIPT_POLL_S)


async def _in_time(step: Awaitable[Result], otherwise: str) -> Result:
    try:
        async with asyncio.timeout(STEP_TIMEOUT_S):
            return await step
    except TimeoutError:
        raise DemoFailed(f"{otherwise} within {STEP_TIMEOUT_S:.0f} s: see .local/log") from None


def _say_where_things_are(
    console: Console, shop: str, inbox: str, env: dict[str, str], layout: Layout
) -> None:
    console.print("\n[bold]Rondo stays up[/]")
    for what, where in (
        ("a shop with the widget", shop),
        (f"the inbox of {AGENTS[INBOX_AGENT].split()[0]}", f"{inbox}   signs in once, within the hour"),
        ("API and its docs", f"{env['RONDO_URL']}/docs"),
        ("Kafka", f"{env['RONDO_KAFKA_BOOTSTRAP']}   topics rondo.chat.requests, rondo.conversations"),
        ("Redis (Valkey)", _without_password(env["RONDO_REDIS_URL"])),
        ("PostgreSQL", _without_password(env["RONDO_POSTGRES_DSN"])),
        ("keys", f"source {layout.env_file}"),
        ("logs", str(layout.logs)),
        ("stop it", "make down"),
    ):
        console.print(f"  {what:<23} {where}", soft_wrap=True)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
