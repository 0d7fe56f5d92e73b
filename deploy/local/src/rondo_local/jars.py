"""Kafka's jars: fetched by jgo as the committed lock file names them, and checked against it."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from importlib import resources
from pathlib import Path
from typing import TextIO

from jgo.env import LockedDependency, LockFile
from jgo.maven import Artifact, MavenContext, PythonResolver

from rondo_local.failures import JarMismatch, RegistryUnreachable, explained

DOWNLOADS_AT_ONCE_MAX = 12
ATTEMPTS_MAX = 3
HTTP_TIMEOUT_S = 10
_REPORT_EVERY_BYTES = 10 * 2**20
_LOCK_POLL_S = 0.05

Report = Callable[[str], None]


async def fetch_jars(
    cache: Path,
    report: Report,
    *,
    lock: LockFile | None = None,
    registries: Mapping[str, str] | None = None,
) -> list[Path]:
    """The verified jars of Kafka's class path, downloading into `cache` those that are missing.

    They are what `lock` says, the committed lock file unless another is given, from the Maven
    `registries` (name to URL), jgo's default unless given. `report` is called, from any thread,
    with a line on the progress of a long download. Cancelling ends the download soon; what is
    whole by then is kept.

    Raises RegistryUnreachable, JarMismatch, and DiskFull.
    """
    download = _Download(cache, report, lock or committed_lock(), registries)
    try:
        return await asyncio.to_thread(download.run)
    finally:
        download.stopped.set()


class _Stopped(Exception):
    """The caller no longer wants the download."""


class _Download:
    def __init__(
        self, cache: Path, report: Report, lock: LockFile, registries: Mapping[str, str] | None
    ) -> None:
        self.stopped = threading.Event()
        self._cache = cache
        self._report = report
        self._locked = lock.dependencies
        self._bytes = 0
        self._counting = threading.Lock()
        self._context = MavenContext(
            repo_cache=cache,
            remote_repos=dict(registries) if registries else None,
            timeout=HTTP_TIMEOUT_S,
            resolver=PythonResolver(progress_callback=self._progress),
        )

    def run(self) -> list[Path]:
        if not all(map(self._is_whole, self._locked)):
            self._report(f"fetching {len(self._locked)} jars, once")
            self._fetch()
        return [self._path(jar) for jar in self._locked]

    def _fetch(self) -> None:
        self._cache.mkdir(parents=True, exist_ok=True)
        with (
            (self._cache / "lock").open("a") as lock,
            ThreadPoolExecutor(DOWNLOADS_AT_ONCE_MAX) as pool,
        ):
            # Another stack, or a test run, may be filling the same cache right now.
            self._take(lock)
            try:
                list(pool.map(self._fetch_one, self._locked))
            except BaseException:
                self.stopped.set()
                raise

    def _take(self, lock: TextIO) -> None:
        while not self.stopped.wait(_LOCK_POLL_S):
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return

    def _fetch_one(self, jar: LockedDependency) -> None:
        failure: Exception | None = None
        for _ in range(ATTEMPTS_MAX):
            if self._is_whole(jar):
                return
            if self.stopped.is_set():
                raise _Stopped
            failure = self._try(jar)
        if failure is not None:
            raise RegistryUnreachable(
                f"the jar {jar.artifactId} {jar.version} cannot be downloaded from Maven "
                "Central: check the network (HTTPS_PROXY, REQUESTS_CA_BUNDLE), then run it again"
            ) from failure
        if not self._is_whole(jar):
            raise _mismatch(jar, self._path(jar))

    def _try(self, jar: LockedDependency) -> Exception | None:
        # What an interrupted download left behind, jgo would take for the jar.
        self._path(jar).unlink(missing_ok=True)
        try:
            self._artifact(jar).resolve()
        except OSError as error:
            # A failed request is an OSError too, but one without a number.
            if error.errno is not None:
                raise explained(error) from error
            return error
        except RuntimeError as error:  # What jgo raises for any answer but 200.
            return error
        return None

    def _artifact(self, jar: LockedDependency) -> Artifact:
        component = self._context.project(jar.groupId, jar.artifactId).at_version(jar.version)
        return component.artifact(jar.classifier or "", jar.packaging)

    def _path(self, jar: LockedDependency) -> Path:
        artifact = self._artifact(jar)
        return self._cache / artifact.component.path_prefix / artifact.filename

    def _is_whole(self, jar: LockedDependency) -> bool:
        path = self._path(jar)
        return path.exists() and sha256_of(path) == jar.sha256

    def _progress(self, _name: str, _size: int) -> AbstractContextManager[Callable[[int], None]]:
        return nullcontext(self._count)

    def _count(self, received: int) -> None:
        if self.stopped.is_set():
            raise _Stopped
        with self._counting:
            before, self._bytes = self._bytes, self._bytes + received
            if before // _REPORT_EVERY_BYTES < self._bytes // _REPORT_EVERY_BYTES:
                self._report(f"fetched {self._bytes // 2**20} MiB")


def committed_lock() -> LockFile:
    """The lock file in this package: every jar with its version and SHA-256 sum."""
    with resources.as_file(resources.files("rondo_local") / "maven" / "jgo.lock.toml") as file:
        return LockFile.load(file)


def sha256_of(file: Path) -> str:
    """The SHA-256 sum of a file, in hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _mismatch(jar: LockedDependency, path: Path) -> JarMismatch:
    found = sha256_of(path)
    path.unlink(missing_ok=True)
    return JarMismatch(
        f"the downloaded {jar.artifactId} {jar.version} has SHA-256 {found[:12]}…, but the lock "
        f"file says {str(jar.sha256)[:12]}…: it was changed on the way; try another network, "
        "and do not run it"
    )
