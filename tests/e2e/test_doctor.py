"""``rondo doctor`` on a whole stack."""

from __future__ import annotations

import asyncio
import json
import sys

from tests.e2e.client import Json, eventually
from tests.e2e.conftest import RunningStack


async def test_the_doctor_finds_nothing_wrong_with_a_running_stack(running: RunningStack) -> None:
    async def examined() -> Json | None:
        # Groups may still be moving after what other tests did to the stack.
        run = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "rondo_command", "doctor", "--json"),
            env=running.env,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await run.communicate()
        findings = json.loads(out)
        moving = [each for each in findings if each["level"] == "wrong" or "is moving" in each["says"]]
        return {"findings": findings, "exit": run.returncode} if not moving else None

    told = await eventually(examined, "a stack with nothing wrong")
    assert told["exit"] == 0
    fine = {each["subject"] for each in told["findings"] if each["level"] == "ok"}
    assert {"kafka", "redis", "postgresql", "gateway", "history", "packages", "group rondo.router"} <= fine
    # What a stack without security has to be told of.
    warned = {each["subject"] for each in told["findings"] if each["level"] == "warning"}
    assert warned == {"kafka ACLs", "redis"}
