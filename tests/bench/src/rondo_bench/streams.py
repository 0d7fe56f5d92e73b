"""Live streams: what an idle one costs the gateway, and what a message to a thousand costs the others.

Part of ``make bench``; alone: ``python -m rondo_bench.streams``.
"""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

import uvloop
from rich.console import Console

from rondo_bench.figures import Latency, Row, table_of
from rondo_bench.listeners import listening
from rondo_bench.load import at_once
from rondo_bench.processes import resident_kib
from rondo_bench.switchboard import Workspace, workspace
from rondo_local.env_file import read_env
from rondo_local.layout import Layout

AGENTS = 500
IDLE = 10_000
LISTENERS = 1_000
MESSAGES = 20
WARM = 100
AIM_KIB = 20.0
LOOKS_S = 8.0
LOOKS_A_SECOND = 40.0
SETTLE_S = 2.0
TOKEN_TTL_S = 3_600


async def measure(url: str, root_key: str, gateway_pid: int) -> list[Row]:
    """Idle streams, then a message to many."""
    async with workspace(url, root_key, agents=AGENTS) as bench:
        return [await _idle(bench, gateway_pid), *await _told(bench)]


async def _idle(bench: Workspace, pid: int) -> Row:
    at = urlsplit(bench.url)
    tokens = await agent_tokens(bench)
    streams = [("/v1/agents/me/stream", token) for token in tokens.values()]
    async with listening(str(at.hostname), int(at.port or 0), streams[:WARM]):
        pass
    await asyncio.sleep(SETTLE_S)
    before = resident_kib(pid)
    many = (streams * (IDLE // len(streams) + 1))[:IDLE]
    async with listening(str(at.hostname), int(at.port or 0), many):
        await asyncio.sleep(SETTLE_S)
        each = (resident_kib(pid) - before) / IDLE
    return Row(
        f"memory of each of {IDLE} idle streams",
        f"{each:.1f} KiB",
        "",
        None,
        f"≤ {AIM_KIB:.0f} KiB",
        each <= AIM_KIB,
    )


async def _told(bench: Workspace) -> list[Row]:
    at = urlsplit(bench.url)
    await asyncio.sleep(SETTLE_S)  # The idle ones have left.
    agent, conversation_id = await _connected(bench)
    path = f"/v1/conversations/{conversation_id}"
    alone = await _looks(bench, path)
    key = bench.headers["Authorization"].removeprefix("Bearer ")
    streams = [(f"{path}/stream", key)] * LISTENERS
    async with listening(str(at.hostname), int(at.port or 0), streams) as listeners:
        spreads: list[float] = []

        async def say() -> None:
            for number in range(MESSAGES):
                started = time.monotonic()
                body = {"client_message_id": f"m-{number}", "text": f"message {number}"}
                async with bench.http.post(
                    f"{bench.url}{path}/messages", json=body, headers=agent
                ) as answer:
                    answer.raise_for_status()
                spreads.append((await listeners.next()).last_s - started)
                await asyncio.sleep(max(0.0, started + LOOKS_S / MESSAGES - time.monotonic()))

        beside, _ = await asyncio.gather(_looks(bench, path), say())
    reach = Latency.of(spreads)
    return [
        Row(f"a message at all of {LISTENERS} listeners p50", f"{reach.p50:.0f} ms", "", None, "", None),
        Row(
            "  requests meanwhile p99",
            f"{beside.p99:.1f} ms",
            f"{alone.p99:.1f} ms without listeners",
            beside.p99 / alone.p99,
            "",
            None,
        ),
    ]


async def _looks(bench: Workspace, path: str) -> Latency:
    """How long a plain request takes, asked at a steady pace."""
    taken: list[float] = []
    started = time.monotonic()

    async def look() -> None:
        asked = time.monotonic()
        async with bench.http.get(f"{bench.url}{path}", headers=bench.headers) as answer:
            answer.raise_for_status()
            await answer.read()
        taken.append(time.monotonic() - asked)

    looks = []
    for number in range(int(LOOKS_S * LOOKS_A_SECOND)):
        await asyncio.sleep(max(0.0, started + number / LOOKS_A_SECOND - time.monotonic()))
        looks.append(asyncio.ensure_future(look()))
    await asyncio.gather(*looks)
    return Latency.of(taken)


async def _connected(bench: Workspace) -> tuple[dict[str, str], str]:
    """An agent's headers, and the conversation that they accepted."""
    conversation_id = await bench.ask()
    url = f"{bench.url}/v1/conversations/{conversation_id}"
    while True:
        async with bench.http.get(url, headers=bench.headers) as answer:
            offer = (await answer.json()).get("offer")
        if offer is not None:
            break
        await asyncio.sleep(0.02)
    agent = {"Authorization": f"Bearer {await _token(bench, offer['agent_id'])}"}
    async with bench.http.post(f"{url}/accept", headers=agent) as answer:
        answer.raise_for_status()
    return agent, conversation_id


async def agent_tokens(bench: Workspace) -> dict[str, str]:
    """A token of every agent, by agent."""
    tokens: dict[str, str] = {}

    async def one(number: int) -> None:
        tokens[bench.agents[number]] = await _token(bench, bench.agents[number])

    await at_once(one, total=len(bench.agents), concurrency=16)
    return tokens


async def _token(bench: Workspace, name: str) -> str:
    body = {"ttl_s": TOKEN_TTL_S}
    async with bench.http.post(
        f"{bench.url}/v1/agents/{name}/token", json=body, headers=bench.headers
    ) as answer:
        answer.raise_for_status()
        return str((await answer.json())["token"])


def gateway_pid(layout: Layout) -> int:
    """The process of the first gateway."""
    return int(layout.pid_file("gateway").read_text(encoding="utf-8").split()[0])


async def _alone() -> list[Row]:
    layout = Layout.of_checkout()
    env = read_env(layout.env_file)
    return await measure(env["RONDO_URL"], env["RONDO_ROOT_KEY"], gateway_pid(layout))


if __name__ == "__main__":
    Console().print(table_of(uvloop.run(_alone())))
