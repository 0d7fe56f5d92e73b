"""Routing alone: what an assignment costs, how many a router makes, and what more of everything costs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from rondo_bench.assignments import cost_by_pool
from rondo_bench.figures import Row
from rondo_bench.raw_switchboard import piped_calls
from rondo_bench.routers import (
    cpu_per_assignment,
    decisions_per_second,
    large_directory,
    latency_over,
    log_of,
)

POOLS = (5, 100, 10_000)
AIM_POOL_RATIO = 1.3
DECISIONS = 10_000
AIM_DECISIONS_RATIO = 0.5
ROUTERS = (1, 2, 4)
REQUESTS = 6_000
WORKSPACES = 24
AIM_ROUTERS_RATIO = 1.1
MANY_WORKSPACES = 1_000
STEADY_PER_SECOND = 50.0
STEADY_S = 10.0
LARGE_AGENTS = 100_000
LARGE_WORKSPACES = 100

Say = Callable[[str], None]


async def routing_rows(bootstrap: str, redis_url: str, say: Say) -> list[Row]:
    """Every figure of routing, measured on the running stack and on stacks of its own."""
    rows = []
    say("switchboard: one assignment, by the size of the pool")
    costs = await cost_by_pool(redis_url, POOLS)
    rows += [_pool_row(size, costs) for size in POOLS]
    say("router: decisions a second, beside consume + one piped call + produce")
    raw = await piped_calls(bootstrap, redis_url, records=DECISIONS, agents=5)
    with tempfile.TemporaryDirectory() as folder:
        routed = await decisions_per_second(Path(folder) / "one", requests=DECISIONS, agents=5)
    rows.append(
        Row(
            "decisions of one router a second",
            f"{routed:.0f}",
            f"{raw:.0f} piped calls",
            routed / raw,
            f"≥ {AIM_DECISIONS_RATIO}",
            routed / raw >= AIM_DECISIONS_RATIO,
        )
    )
    async with log_of(bootstrap) as log:
        say("router: request → offer over one workspace, and over many")
        one = await latency_over(log, workspaces=1, per_second=STEADY_PER_SECOND, seconds=STEADY_S)
        many = await latency_over(
            log, workspaces=MANY_WORKSPACES, per_second=STEADY_PER_SECOND, seconds=STEADY_S
        )
        rows.append(
            Row(
                f"request → offer p99, {MANY_WORKSPACES} workspaces",
                f"{many.p99:.1f} ms",
                f"{one.p99:.1f} ms with one",
                many.p99 / one.p99,
                "",
                None,
            )
        )
    with tempfile.TemporaryDirectory() as folder:
        rows += await _router_rows(Path(folder), say)
        say(f"router: a directory of {LARGE_AGENTS} agents")
        rows += await _directory_rows(Path(folder))
    return rows


def _pool_row(size: int, costs: dict[int, float]) -> Row:
    smallest = costs[POOLS[0]]
    return Row(
        f"one assignment, pool of {size}",
        f"{costs[size]:.0f} µs",
        f"{smallest:.0f} µs with {POOLS[0]}",
        costs[size] / smallest,
        f"≤ {AIM_POOL_RATIO} ×",
        costs[size] <= AIM_POOL_RATIO * smallest,
    )


async def _router_rows(folder: Path, say: Say) -> list[Row]:
    rows: list[Row] = []
    first = None
    for count in ROUTERS:
        say(f"routers: CPU of an assignment, {count} of them")
        cpu = await cpu_per_assignment(
            folder / f"{count}-routers", routers=count, requests=REQUESTS, workspaces=WORKSPACES
        )
        first = first or cpu
        rows.append(
            Row(
                f"CPU of an assignment, {count} routers",
                f"{cpu:.0f} µs",
                f"{first:.0f} µs with one",
                cpu / first,
                f"≤ {AIM_ROUTERS_RATIO} ×",
                cpu <= AIM_ROUTERS_RATIO * first,
            )
        )
    return rows


async def _directory_rows(folder: Path) -> list[Row]:
    found = await large_directory(folder / "large", agents=LARGE_AGENTS, workspaces=LARGE_WORKSPACES)
    return [
        Row(
            f"router start to first decision, {LARGE_AGENTS} agents",
            f"{found.start_s:.1f} s",
            f"{found.small_start_s:.1f} s with one agent",
            found.start_s / found.small_start_s,
            "",
            None,
        ),
        Row(
            f"router memory, {LARGE_AGENTS} agents",
            f"{found.resident_mib:.0f} MiB",
            f"{found.small_mib:.0f} MiB with one agent",
            found.resident_mib / found.small_mib,
            "",
            None,
        ),
    ]
