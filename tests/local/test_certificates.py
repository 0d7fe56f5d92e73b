"""The stack's own authority: what it issues is good for what it says, and for nothing else."""

from __future__ import annotations

import asyncio
import ssl
import stat
from pathlib import Path

import pytest

from rondo_local.certificates import Certificates, KeyPair


async def _peer_name(server: KeyPair, client: KeyPair, trusted: Path, *, host: str = "127.0.0.1") -> str:
    """How the server sees the client, once both have shown their certificates."""
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=trusted)
    serving.load_cert_chain(server.certificate, server.key)
    serving.verify_mode = ssl.CERT_REQUIRED
    calling = ssl.create_default_context(cafile=trusted)
    calling.load_cert_chain(client.certificate, client.key)

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        names = dict(pair for ((pair),) in writer.get_extra_info("peercert")["subject"])
        writer.write(names["commonName"].encode())
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=serving)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=calling, server_hostname=host)
        try:
            return (await reader.read()).decode()
        finally:
            writer.close()
            await writer.wait_closed()


async def test_a_server_and_a_client_trust_each_other(tmp_path: Path) -> None:
    issued = Certificates(tmp_path / "a place")
    name = await _peer_name(issued.server("kafka"), issued.client("router"), issued.ca_file)
    assert name == "router"


async def test_a_server_is_not_taken_for_another_host(tmp_path: Path) -> None:
    issued = Certificates(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        await _peer_name(
            issued.server("kafka"), issued.client("router"), issued.ca_file, host="example.com"
        )


async def test_the_certificate_of_another_authority_is_not_trusted(tmp_path: Path) -> None:
    issued, others = Certificates(tmp_path / "ours"), Certificates(tmp_path / "theirs")
    with pytest.raises(ssl.SSLCertVerificationError):
        await _peer_name(others.server("kafka"), issued.client("router"), issued.ca_file)


def test_what_was_issued_stays_and_only_the_owner_reads_the_keys(tmp_path: Path) -> None:
    first = Certificates(tmp_path).client("router")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    again = Certificates(tmp_path)
    assert again.client("router") == first
    assert again.ca_file == tmp_path / "ca.crt"
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    for file in tmp_path.glob("*.key"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text().startswith("-----BEGIN PRIVATE KEY-----")
