"""``make bench``: measure, print the table, save ``.local/bench.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from rich.console import Console

from rondo_bench import raw_http, raw_kafka, streams
from rondo_bench.figures import Latency, Row, as_json, table_of
from rondo_bench.load import at_once
from rondo_bench.routers import log_of
from rondo_bench.routing import routing_rows
from rondo_bench.switchboard import offer_to_ring, request_to_ring, routed_per_second, workspace
from rondo_bench.webhooks import webhook_rows
from rondo_local.env_file import read_env
from rondo_local.layout import Layout

AGENTS = 20
CHATS = 4000
CONCURRENCY = 48
AIM_CHATS_PER_SECOND = 430
LOAD_SHARE = 0.1
STEADY_S = 15.0
OFFERS_PER_SECOND = 400
OFFERS_S = 4.0
AIM_P99_MS = 100
AIM_HOPS_RATIO = 3.0


async def main(console: Console) -> list[Row]:
    """Measure everything on the running stack, one after the other."""
    layout = Layout.of_checkout()
    env = read_env(layout.env_file)
    if "RONDO_KAFKA_SECURITY_PROTOCOL" in env:
        # It makes topics and writes commands, which on a secure stack nobody may but the services.
        raise SystemExit("rondo: the stack is secure: `make down`, then `make bench SECURE=0`")
    bootstrap, url = env["RONDO_KAFKA_BOOTSTRAP"], env["RONDO_URL"]
    console.print("[dim]raw Kafka: two hops, and consume and produce[/]")
    hops = await raw_kafka.two_hops(
        bootstrap, per_second=AIM_CHATS_PER_SECOND * LOAD_SHARE, seconds=STEADY_S
    )
    loop_rate = await raw_kafka.consume_and_produce(bootstrap, records=20_000)
    console.print("[dim]raw HTTP: a FastAPI POST that only produces[/]")
    bare_rate = await _bare_posts(bootstrap)
    # First, because the router is busy for a while when a workspace goes with all its chats.
    console.print("[dim]Rondo: idle streams, then a message to many[/]")
    told = await streams.measure(url, env["RONDO_ROOT_KEY"], streams.gateway_pid(layout))
    console.print("[dim]Rondo: routed chats, then request to ring[/]")
    async with workspace(url, env["RONDO_ROOT_KEY"], agents=AGENTS) as bench, log_of(bootstrap) as log:
        await routed_per_second(bench, bootstrap, chats=CHATS // 8, concurrency=CONCURRENCY)
        routed, requested = await routed_per_second(bench, bootstrap, chats=CHATS, concurrency=CONCURRENCY)
        rings = await request_to_ring(bench, per_second=AIM_CHATS_PER_SECOND * LOAD_SHARE, seconds=STEADY_S)
        console.print("[dim]raw Kafka and Rondo: two hops, and offer to ring, at a high rate[/]")
        fast_hops = await raw_kafka.two_hops(bootstrap, per_second=OFFERS_PER_SECOND, seconds=OFFERS_S)
        rung = await offer_to_ring(bench, log, per_second=OFFERS_PER_SECOND, seconds=OFFERS_S)
    rows = _rows(hops, loop_rate, bare_rate, routed, requested, rings)
    rows += _offer_rows(rung, fast_hops)
    rows += told
    rows += await routing_rows(
        bootstrap, env["RONDO_REDIS_URL"], lambda what: console.print(f"[dim]{what}[/]")
    )
    rows += await webhook_rows(lambda what: console.print(f"[dim]{what}[/]"))
    _save(layout.root / "bench.json", rows, hops, rings)
    return rows


async def _bare_posts(bootstrap: str) -> float:
    async with (
        raw_kafka.scratch_topic(bootstrap) as topic,
        raw_http.serving(bootstrap, topic) as url,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
    ):

        async def post(_: int) -> None:
            async with http.post(url, data=raw_kafka.PAYLOAD) as answer:
                answer.raise_for_status()

        await at_once(post, total=CHATS // 8, concurrency=CONCURRENCY)
        return CHATS / await at_once(post, total=CHATS, concurrency=CONCURRENCY)


def _rows(
    hops: Latency,
    loop_rate: float,
    bare_rate: float,
    routed: float,
    requested: float,
    rings: dict[str, Latency],
) -> list[Row]:
    ring = rings["request_to_ring"]
    aim_p50 = f"≤ {AIM_HOPS_RATIO:.0f} × two raw hops"
    return [
        Row(
            "routed chats a second, end to end",
            f"{routed:.0f}",
            f"{loop_rate:.0f} consume and produce",
            routed / loop_rate,
            f"≥ {AIM_CHATS_PER_SECOND} a second",
            routed >= AIM_CHATS_PER_SECOND,
        ),
        Row(
            "chat requests a second, answered",
            f"{requested:.0f}",
            f"{bare_rate:.0f} bare POSTs that produce",
            requested / bare_rate,
            "",
            None,
        ),
        Row(
            "request → ring p50",
            f"{ring.p50:.1f} ms",
            f"{hops.p50:.1f} ms two raw hops",
            ring.p50 / hops.p50,
            aim_p50,
            ring.p50 <= AIM_HOPS_RATIO * hops.p50,
        ),
        Row(
            "request → ring p99",
            f"{ring.p99:.1f} ms",
            f"{hops.p99:.1f} ms two raw hops",
            ring.p99 / hops.p99,
            f"≤ {AIM_P99_MS} ms",
            ring.p99 <= AIM_P99_MS,
        ),
        *(
            Row(f"  of it: {name.replace('_', ' ')} p50", f"{part.p50:.1f} ms", "", None, "", None)
            for name, part in rings.items()
            if name != "request_to_ring"
        ),
    ]


def _offer_rows(rung: Latency, hops: Latency) -> list[Row]:
    what = f"offer → ring {{}} at {OFFERS_PER_SECOND} offers a second"
    return [
        Row(
            what.format("p50"),
            f"{rung.p50:.1f} ms",
            f"{hops.p50:.1f} ms two raw hops",
            rung.p50 / hops.p50,
            "",
            None,
        ),
        Row(
            what.format("p99"),
            f"{rung.p99:.1f} ms",
            f"{hops.p99:.1f} ms two raw hops",
            rung.p99 / hops.p99,
            "",
            None,
        ),
    ]


def _save(path: Path, rows: list[Row], hops: Latency, rings: dict[str, Latency]) -> None:
    details: dict[str, Any] = {
        "two_raw_hops_ms": _plain(hops),
        "rings_ms": {name: _plain(part) for name, part in rings.items()},
    }
    path.write_text(json.dumps(as_json(rows, details), indent=2) + "\n", encoding="utf-8")


def _plain(latency: Latency) -> dict[str, float]:
    return {"p50": latency.p50, "p90": latency.p90, "p99": latency.p99, "samples": latency.samples}


if __name__ == "__main__":
    terminal = Console()
    terminal.print(table_of(uvloop.run(main(terminal))))
    terminal.print("[dim]saved in .local/bench.json[/]")
