"""The passwords of a secure stack stand in no log of its processes, and in nobody's arguments."""

from __future__ import annotations

from pathlib import Path

from rondo_common.access import USERS
from rondo_local import state
from rondo_local.postgres_security import ROLES
from rondo_local.postgres_security import SERVER as POSTGRES
from rondo_local.servers import SERVER_NAMES
from tests.e2e.client import Workspace
from tests.e2e.leaks import leaks
from tests.secure.conftest import SecureStack


async def test_a_password_is_told_to_whom_it_lets_in_alone(
    running: SecureStack, workspace: Workspace
) -> None:
    await workspace.agents("grace")
    conversation, _, _ = await workspace.connected("grace")
    await workspace.post(f"/v1/conversations/{conversation['id']}/end")
    await workspace.transcript(conversation["id"], messages=0)
    security = running.servers.postgres.security
    known = state.load(running.layout.state_file)
    assert security is not None
    assert known is not None
    secrets = {"seed": known.password_seed, "root key": known.root_key, "token secret": known.token_secret}
    for server in SERVER_NAMES:
        for user in {*USERS, *ROLES.values(), "migrate", "create-topics", "admin"}:
            secrets[f"password of {user} at {server}"] = security.password(server, user)
    places = {**_logs(running), **_arguments(running)}
    assert b"rondo_history" in places["arguments of history"]
    assert b"ready to accept connections" in places["postgres.log"]
    assert leaks(secrets, places) == []
    # They are those that let in: whom it concerns is told.
    dsn = running.servers.told("history")["RONDO_POSTGRES_DSN"].encode()
    assert leaks(secrets, {"DSN": dsn}) == [f"password of {ROLES['history']} at {POSTGRES} in DSN"]


def _logs(running: SecureStack) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in running.layout.logs.glob("*.log")}


def _arguments(running: SecureStack) -> dict[str, bytes]:
    pids = {file.stem: file.read_text().split()[0] for file in running.layout.run.glob("*.pid")}
    return {f"arguments of {name}": Path(f"/proc/{pid}/cmdline").read_bytes() for name, pid in pids.items()}
