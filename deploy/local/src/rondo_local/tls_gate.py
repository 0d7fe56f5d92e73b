"""TLS before a server that has none: `python -m rondo_local.tls_gate <port> <certificate> <key> <server…>`.

The Valkey of the wheel was built without TLS. It listens on a Unix socket in its directory alone, which
only its owner may use, and this process, its parent, is the one way there. Both end together.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path

from rondo_local.ports import HOST

SOCKET = "server.sock"
"""In the working directory, because the path of a Unix socket may have few bytes."""
CHUNK_BYTES = 64 * 1024
SERVER_STOP_TIMEOUT_S = 8.0
"""Less than the stack gives a process to end."""


def main(argv: Sequence[str]) -> int:
    """Run the server behind its gate until told to stop; the exit status of the server."""
    port, certificate, key, *command = argv
    return asyncio.run(_run(int(port), Path(certificate), Path(key), command))


async def _run(port: int, certificate: Path, key: Path, command: Sequence[str]) -> int:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await asyncio.create_subprocess_exec(*command)
    ended = asyncio.create_task(server.wait())
    told = asyncio.create_task(stop.wait())
    gate = await asyncio.start_server(_let_through, HOST, port, ssl=context)
    try:
        await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gate.close()
        told.cancel()
        await _end(server, ended)
    return await ended


async def _end(server: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    with contextlib.suppress(ProcessLookupError):
        server.terminate()
    await asyncio.wait({ended}, timeout=SERVER_STOP_TIMEOUT_S)
    with contextlib.suppress(ProcessLookupError):
        server.kill()


async def _let_through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        server_reader, server_writer = await asyncio.open_unix_connection(SOCKET)
    except OSError:  # It is starting still, or ending: whoever calls tries again.
        writer.close()
        return
    ways = [
        asyncio.create_task(_pass_on(reader, server_writer)),
        asyncio.create_task(_pass_on(server_reader, writer)),
    ]
    try:
        # Redis speaks in turns: when one side has gone, there is nobody to answer.
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        for each in (writer, server_writer):
            each.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
