"""The certificates of a secure stack: an authority of its own, made once, and what it has issued."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from rondo_local.ports import HOST
from rondo_local.state import write_privately

SERVER_NAMES = (HOST, "localhost")
"""What clients may call a server of the stack: its certificate is good for no other name."""

_AUTHORITY = "ca"
_ORGANISATION = "Rondo local stack"


@dataclass(frozen=True)
class KeyPair:
    """Two PEM files: a certificate, and its key in PKCS#8, which only the owner of the stack reads."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    """The authority in `directory`, which is made with the first certificate that is asked for.

    What was issued once stays: a running server and its clients go on trusting each other over
    `down` and `up`. Whoever issues does it in the one command that changes the stack.
    """

    directory: Path

    @property
    def ca_file(self) -> Path:
        """The authority's certificate: what clients trust, and servers that ask for a client's."""
        self._authority()
        return self._files(_AUTHORITY).certificate

    def server(self, name: str) -> KeyPair:
        """The certificate of the server `name` on this machine; as a client, it is CN=`name`."""
        return self._issued(f"{name}-server", name, SERVER_NAMES)

    def client(self, name: str) -> KeyPair:
        """The certificate by which a client shows that it is CN=`name`. It is good for no server."""
        # Java takes no certificate without any other name; an email address is no server's.
        return self._issued(f"{name}-client", name, (f"{name}@localhost",))

    def _issued(self, stem: str, common_name: str, identities: tuple[str, ...]) -> KeyPair:
        files = self._files(stem)
        if not files.certificate.exists():
            issued = self._authority().issue_cert(
                *identities,
                common_name=common_name,
                organization_name=_ORGANISATION,
                organization_unit_name=stem,
            )
            _write(files, issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes())
        return files

    def _authority(self) -> trustme.CA:
        files = self._files(_AUTHORITY)
        if files.certificate.exists():
            return trustme.CA.from_pem(files.certificate.read_bytes(), files.key.read_bytes())
        self.directory.mkdir(parents=True, exist_ok=True)
        made = trustme.CA(
            organization_name=_ORGANISATION, organization_unit_name=f"authority of {self.directory}"[:64]
        )
        _write(files, made.cert_pem.bytes(), made.private_key_pem.bytes())
        return made

    def _files(self, stem: str) -> KeyPair:
        return KeyPair(self.directory / f"{stem}.crt", self.directory / f"{stem}.key")


def as_pkcs8(key: bytes) -> bytes:
    """The same private key in PKCS#8, in PEM: the one form that Kafka and PostgreSQL both read."""
    return load_pem_private_key(key, password=None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def _write(files: KeyPair, certificate: bytes, key: bytes) -> None:
    # The certificate comes last: where it stands, its key stands too.
    write_privately(files.key, as_pkcs8(key).decode("ascii"))
    write_privately(files.certificate, certificate.decode("ascii"))
    # A certificate is no secret, and a server may run as another user.
    files.certificate.chmod(0o644)
