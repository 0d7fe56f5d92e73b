"""``rondo keys`` and ``rondo workspaces``, against a gateway that listens."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from tests.command.conftest import Rondo
from tests.gateway.fake_world import ACME_KEY, ROOT_KEY, FakeWorld

DEADLINE_S = 60.0


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a gateway over fakes; the command line knows it, and both credentials."""
    world = FakeWorld()
    asyncio.run(world.furnish())
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = uvicorn.Config(
        world.app(), host="127.0.0.1", port=port, log_config=None, lifespan="off", ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + DEADLINE_S
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    url = f"http://127.0.0.1:{port}"
    monkeypatch.setenv("RONDO_URL", url)
    monkeypatch.setenv("RONDO_ROOT_KEY", ROOT_KEY)
    monkeypatch.setenv("RONDO_API_KEY", ACME_KEY)
    yield url
    server.should_exit = True
    thread.join(DEADLINE_S)


@pytest.mark.usefixtures("gateway")
def test_a_key_is_created_listed_and_revoked(rondo: Rondo, monkeypatch: pytest.MonkeyPatch) -> None:
    created = rondo("keys", "create", "--name", "website")
    assert created.exit_code == 0, created.stderr
    key = created.stdout.strip()
    assert key.startswith("rk_")
    key_id = created.stderr.split()[1].rstrip(",")
    listed = rondo("keys", "list")
    assert key_id in listed.stdout
    assert "website" in listed.stdout
    assert key not in listed.stdout
    assert rondo("keys", "revoke", key_id, input="n\n").exit_code == 1
    assert key_id in rondo("keys", "list").stdout
    assert rondo("keys", "revoke", key_id, "--yes").stdout == f"revoked {key_id}\n"
    monkeypatch.setenv("RONDO_API_KEY", key)
    refused = rondo("keys", "list")
    assert refused.exit_code == 1
    assert "was refused (401)" in refused.stderr


@pytest.mark.usefixtures("gateway")
def test_a_workspace_is_created_listed_and_deleted(rondo: Rondo, monkeypatch: pytest.MonkeyPatch) -> None:
    created = rondo("workspaces", "create", "initech", "--name", "Initech & Sons")
    assert created.exit_code == 0, created.stderr
    monkeypatch.setenv("RONDO_API_KEY", created.stdout.strip())
    assert rondo("keys", "list").exit_code == 0
    listed = rondo("workspaces", "list").stdout
    for words in ("acme", "globex", "initech", "Initech & Sons"):
        assert words in listed
    again = rondo("workspaces", "create", "initech")
    assert again.exit_code == 1
    assert "was refused (409)" in again.stderr
    assert rondo("workspaces", "delete", "initech", "--yes").exit_code == 0
    assert "initech" not in rondo("workspaces", "list").stdout


@pytest.mark.usefixtures("gateway")
def test_a_long_list_is_read_to_its_end(rondo: Rondo) -> None:
    for number in range(3):
        assert rondo("workspaces", "create", f"many-{number}").exit_code == 0
    from rondo_command import http_api  # noqa: PLC0415 - its page size is made small here

    page_size, http_api.PAGE_SIZE = http_api.PAGE_SIZE, 1
    try:
        listed = rondo("workspaces", "list").stdout
    finally:
        http_api.PAGE_SIZE = page_size
    assert all(f"many-{number}" in listed for number in range(3))


def test_a_gateway_that_is_down_is_one_clear_line(rondo: Rondo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RONDO_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("RONDO_ROOT_KEY", ROOT_KEY)
    ran = rondo("workspaces", "list")
    assert ran.exit_code == 1
    assert "http://127.0.0.1:1 does not answer" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_a_missing_credential_is_named(rondo: Rondo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RONDO_URL", "http://127.0.0.1:1")
    monkeypatch.delenv("RONDO_API_KEY", raising=False)
    ran = rondo("keys", "list")
    assert ran.exit_code == 2
    assert "RONDO_API_KEY is not set" in ran.stderr


def test_an_unknown_command_is_wrong_use(rondo: Rondo) -> None:
    assert rondo("dance").exit_code == 2
