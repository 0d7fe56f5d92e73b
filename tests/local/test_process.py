from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rondo_local import process
from rondo_local.failures import DiedAtStart, NotReady
from rondo_local.identity import Identity, identity_of, read_identity
from rondo_local.layout import Layout
from rondo_local.process import Program, launch, running, stop, until_ready

SLEEPS = "import time; print('up', flush=True); time.sleep(600)"
IGNORES_SIGTERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"


@pytest.fixture
async def layout(tmp_path: Path) -> AsyncIterator[Layout]:
    layout = Layout.under(tmp_path)
    layout.prepare()
    yield layout
    await stop(layout, process.recorded(layout), timeout_s=0)


def program(layout: Layout, name: str, code: str) -> Program:
    return Program(name, (sys.executable, "-c", code), layout.run, dict(os.environ))


async def has_printed(layout: Layout, name: str) -> bool:
    return "up" in layout.log_file(name).read_text()


async def never() -> bool:
    return False


async def test_a_launched_program_is_known_by_its_pid_file_until_it_is_stopped(
    layout: Layout,
) -> None:
    identity = launch(program(layout, "sleeper", SLEEPS), layout)

    first_line = layout.pid_file("sleeper").read_text().split()[0]
    assert int(first_line) == identity.pid
    assert running(layout, "sleeper") == identity

    assert await stop(layout, ["sleeper"]) == []
    assert not identity.is_alive
    assert process.recorded(layout) == []


async def test_a_program_that_does_not_end_when_asked_is_killed(layout: Layout) -> None:
    identity = launch(program(layout, "stubborn", IGNORES_SIGTERM), layout)

    async def is_up() -> bool:
        return await has_printed(layout, "stubborn")

    await until_ready("stubborn", identity, layout, is_up, timeout_s=20)

    assert await stop(layout, ["stubborn"], timeout_s=0.2) == ["stubborn"]
    assert not identity.is_alive


async def test_a_recycled_pid_is_neither_running_nor_stopped(layout: Layout) -> None:
    bystander = launch(program(layout, "bystander", SLEEPS), layout)
    Identity(bystander.pid, "started at another time").write(layout.pid_file("ours"))

    assert running(layout, "ours") is None
    await stop(layout, ["ours"])

    assert bystander.is_alive
    assert process.recorded(layout) == ["bystander"]


async def test_a_killed_program_counts_as_dead(layout: Layout) -> None:
    identity = launch(program(layout, "sleeper", SLEEPS), layout)

    os.kill(identity.pid, signal.SIGKILL)

    async def is_dead() -> bool:
        return running(layout, "sleeper") is None

    parent = identity_of(os.getpid())
    assert parent is not None
    await until_ready("sleeper", parent, layout, is_dead, timeout_s=20)


async def test_a_program_that_ends_at_its_start_is_reported_with_its_last_line(
    layout: Layout,
) -> None:
    doomed = program(layout, "doomed", "import time; print('one'); print('the cause\\n')")

    with pytest.raises(DiedAtStart, match=r"doomed\.log; its last line: the cause$"):
        await until_ready("doomed", launch(doomed, layout), layout, never, timeout_s=20)


async def test_a_program_that_is_never_ready_is_reported_after_its_deadline(
    layout: Layout,
) -> None:
    identity = launch(program(layout, "sleeper", SLEEPS), layout)

    with pytest.raises(NotReady, match="sleeper runs but was not ready"):
        await until_ready("sleeper", identity, layout, never, timeout_s=0)


def test_this_very_process_is_alive_and_a_damaged_pid_file_names_nobody(tmp_path: Path) -> None:
    me = identity_of(os.getpid())

    assert me is not None
    assert me.is_alive
    me.write(tmp_path / "me.pid")
    assert read_identity(tmp_path / "me.pid") == me
    (tmp_path / "me.pid").write_text("not a pid\n")
    assert read_identity(tmp_path / "me.pid") is None
