"""Where Redis is, and how one is let in: read once, refused with a remedy, and never shown whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit

PORT = 6379
SENTINEL_PORT = 26379


class Topology(StrEnum):
    """What answers at the hosts of the URL."""

    STANDALONE = "standalone"
    """One server, or an address that always leads to the primary."""
    CLUSTER = "cluster"
    """Nodes of a Redis Cluster; the others are found through them."""
    SENTINEL = "sentinel"
    """Sentinels, who say where the primary is."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What a TLS connection trusts, and shows of itself: paths of PEM files."""

    ca_file: str = ""
    """Empty: the authorities that the system trusts."""
    certificate_file: str = ""
    key_file: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and their password; empty: the default user, without."""

    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """An address that is complete and right in itself. Its ``repr`` and ``str`` tell no password."""

    hosts: tuple[tuple[str, int], ...]
    database: int = 0
    credentials: Credentials = Credentials()
    topology: Topology = Topology.STANDALONE
    tls: Trust | None = None
    """None: without TLS."""
    sentinel_service: str = ""
    """How the sentinels call the primary."""
    sentinel_credentials: Credentials = Credentials()
    replicas_min: int = 0
    """How many replicas must have an effect before it counts."""

    def __str__(self) -> str:
        scheme = "redis" if self.tls is None else "rediss"
        hosts = ",".join(f"{host}:{port}" for host, port in self.hosts)
        return f"{scheme}://{hosts}/{self.database}"


def redis_address(
    url: str,
    *,
    topology: Topology = Topology.STANDALONE,
    trust: Trust = Trust(),
    sentinel_service: str = "",
    sentinel_credentials: Credentials = Credentials(),
    replicas_min: int = 0,
) -> RedisAddress:
    """The address that settings describe.

    Raises:
        ValueError: they do not go together. Says which variable and what to do, and no secret.
    """
    hosts, database, credentials, is_tls = _read(
        url, SENTINEL_PORT if topology is Topology.SENTINEL else PORT
    )
    _check_topology(topology, len(hosts), database, sentinel_service, sentinel_credentials)
    _check_trust(trust, is_tls=is_tls)
    return RedisAddress(
        hosts=hosts,
        database=database,
        credentials=credentials,
        topology=topology,
        tls=trust if is_tls else None,
        sentinel_service=sentinel_service,
        sentinel_credentials=sentinel_credentials,
        replicas_min=replicas_min,
    )


def _read(url: str, port: int) -> tuple[tuple[tuple[str, int], ...], int, Credentials, bool]:
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss"}:
        raise ValueError("write RONDO_REDIS_URL as redis://host:port/0, or as rediss://… for TLS")
    if parts.query or parts.fragment:
        raise ValueError("RONDO_REDIS_URL takes nothing behind the database: other settings are variables")
    userinfo, _, places = parts.netloc.rpartition("@")
    user, _, password = userinfo.partition(":")
    if user and not password:
        raise ValueError("RONDO_REDIS_URL names a user without a password: write user:password@host")
    path = parts.path.strip("/")
    if path and not path.isdecimal():
        raise ValueError("the path of RONDO_REDIS_URL is a database: a number, as in /0")
    hosts = tuple(_place(each, port) for each in places.split(","))
    return hosts, int(path or 0), Credentials(unquote(user), unquote(password)), parts.scheme == "rediss"


def _place(text: str, port: int) -> tuple[str, int]:
    try:
        place = urlsplit(f"//{text}")
        host, number = place.hostname, place.port
    except ValueError:
        host, number = None, None
    if not host:
        # Nothing of the text is told: in a URL that was quoted wrongly, it may be part of a password.
        raise ValueError(
            "RONDO_REDIS_URL names no host, or a port that is none: write host:port, several with commas "
            "between, and %-encode what is special in the password"
        )
    return host, number or port


def _check_topology(
    topology: Topology, hosts: int, database: int, service: str, sentinel: Credentials
) -> None:
    if topology is Topology.STANDALONE and hosts > 1:
        raise ValueError(
            "RONDO_REDIS_URL names several hosts: set RONDO_REDIS_TOPOLOGY to cluster or sentinel, or name "
            "the one server"
        )
    if topology is Topology.CLUSTER and database:
        raise ValueError("a cluster has database 0 only: end RONDO_REDIS_URL with /0")
    if topology is Topology.SENTINEL and not service:
        raise ValueError("set RONDO_REDIS_SENTINEL_SERVICE to what the sentinels call the primary")
    if topology is not Topology.SENTINEL and (service or sentinel.user or sentinel.password):
        raise ValueError(
            "RONDO_REDIS_SENTINEL_… is set, but RONDO_REDIS_TOPOLOGY is not sentinel: set it, or leave "
            "them out"
        )
    if sentinel.user and not sentinel.password:
        raise ValueError("RONDO_REDIS_SENTINEL_USERNAME needs RONDO_REDIS_SENTINEL_PASSWORD")


def _check_trust(trust: Trust, *, is_tls: bool) -> None:
    files = {
        "RONDO_REDIS_CA_FILE": trust.ca_file,
        "RONDO_REDIS_CERTIFICATE_FILE": trust.certificate_file,
        "RONDO_REDIS_KEY_FILE": trust.key_file,
    }
    for variable, path in files.items():
        if path and not is_tls:
            raise ValueError(
                f"{variable} is set, but RONDO_REDIS_URL asks for no TLS: let it begin with rediss://"
            )
        if path and not Path(path).is_file():
            raise ValueError(f"{variable} leads to no file: mount it there, or correct the path")
    if bool(trust.certificate_file) != bool(trust.key_file):
        raise ValueError("set RONDO_REDIS_CERTIFICATE_FILE and RONDO_REDIS_KEY_FILE together, or neither")
