from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from jgo.env import LockedDependency, LockFile

from rondo_local.failures import JarMismatch, RegistryUnreachable
from rondo_local.jars import committed_lock, fetch_jars

CONTENT = b"a jar"
JAR = Path("org/example/thing/1.0/thing-1.0.jar")


class Registry(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_jar = self.path.endswith(".jar")
        self.send_response(200 if is_jar else 404)
        self.send_header("Content-Length", str(len(CONTENT) if is_jar else 0))
        self.end_headers()
        self.wfile.write(CONTENT if is_jar else b"")

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield {"test": f"http://127.0.0.1:{server.server_port}"}
        server.shutdown()
        thread.join()


def lock_of(content: bytes) -> LockFile:
    sha256 = hashlib.sha256(content).hexdigest()
    return LockFile([LockedDependency("org.example", "thing", "1.0", sha256=sha256)])


async def test_a_jar_is_fetched_once(tmp_path: Path, registry: dict[str, str]) -> None:
    told: list[str] = []

    for _ in range(2):
        jars = await fetch_jars(tmp_path, told.append, lock=lock_of(CONTENT), registries=registry)
        assert [jar.read_bytes() for jar in jars] == [CONTENT]

    assert len(told) == 1


async def test_a_download_that_was_cut_short_is_repeated(tmp_path: Path, registry: dict[str, str]) -> None:
    (tmp_path / JAR).parent.mkdir(parents=True)
    (tmp_path / JAR).write_bytes(CONTENT[:2])

    await fetch_jars(tmp_path, print, lock=lock_of(CONTENT), registries=registry)

    assert (tmp_path / JAR).read_bytes() == CONTENT


async def test_a_jar_with_another_sum_than_the_committed_one_is_refused_and_not_kept(
    tmp_path: Path, registry: dict[str, str]
) -> None:
    with pytest.raises(JarMismatch, match=r"thing 1\.0 .* do not run it"):
        await fetch_jars(tmp_path, print, lock=lock_of(b"expected"), registries=registry)

    assert not (tmp_path / JAR).exists()


async def test_a_registry_out_of_reach_is_one_line_with_a_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(RegistryUnreachable, match="check the network"):
        await fetch_jars(
            tmp_path,
            print,
            lock=lock_of(CONTENT),
            registries={"nowhere": f"http://127.0.0.1:{port}"},
        )


def test_every_jar_of_the_committed_lock_has_a_sum() -> None:
    jars = committed_lock().dependencies

    assert len(jars) > 40
    assert all(jar.sha256 and jar.packaging == "jar" for jar in jars)
