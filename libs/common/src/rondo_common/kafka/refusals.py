"""Why brokers do not let a client in, and what to do: aiokafka's clients only say that they could not.

Nothing here names a password or what stands in a file.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.security import KafkaSecurity
from rondo_common.kafka.settings import (
    CA_FILE,
    CERTIFICATE_FILE,
    KEY_FILE,
    PASSWORD,
    PROTOCOL,
    USERNAME,
)

BOOTSTRAP = "RONDO_KAFKA_BOOTSTRAP"
MECHANISM = "RONDO_KAFKA_SASL_MECHANISM"
ANSWER_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a broker minds, and what to do."""

    says: str
    remedy: str

    def __str__(self) -> str:
        """One line for a terminal."""
        return f"{self.says}: {self.remedy}"


async def why_refused(connection: KafkaConnection) -> Refusal | None:
    """What the first broker that can be asked minds; None when one lets us in. Raises nothing."""
    refusal = None
    for address in connection.bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        if not host or not port.isdecimal():
            return Refusal(
                f"{address.strip()!r} is no address of a broker", f"write {BOOTSTRAP} as host:port"
            )
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await _knock(connection, host.strip("[]"), int(port))
        except (KafkaError, OSError, TimeoutError) as error:
            refusal = refusal or explained(error, address.strip(), connection.security)
        else:
            return None
    return refusal


def explained(error: Exception, address: str, security: KafkaSecurity) -> Refusal:
    """What it amounts to that a connection with ``security`` to ``address`` failed with ``error``."""
    causes = list(_chain(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return _of_tls(cause, address, security)
        if isinstance(cause, SaslAuthenticationFailed | AuthenticationFailedError):
            return Refusal(
                f"{address} does not let {security.username} in with this password",
                f"correct {USERNAME} and {PASSWORD}, or let the user be known for {security.mechanism}",
            )
        if isinstance(cause, UnsupportedSaslMechanismError):
            return Refusal(
                f"{address} does not take {security.mechanism}",
                f"set {MECHANISM} to what its listener takes",
            )
    if any(isinstance(cause, asyncio.IncompleteReadError | ConnectionResetError) for cause in causes):
        return _hung_up(address, security)
    return Refusal(
        f"no broker answers at {address} ({type(causes[-1]).__name__})",
        f"start the brokers, or correct {BOOTSTRAP}",
    )


def is_forbidden(error: BaseException | None) -> bool:
    """Whether it is for want of an ACL: who may write nowhere is refused at the cluster."""
    return isinstance(error, TopicAuthorizationFailedError | ClusterAuthorizationFailedError)


async def _knock(connection: KafkaConnection, host: str, port: int) -> None:
    options = connection.client_options()
    options.pop("bootstrap_servers")
    opened: AIOKafkaConnection = await create_conn(
        host, port, **options, request_timeout_ms=int(ANSWER_TIMEOUT_S * 1000)
    )
    try:
        # A listener that asks for a password answers this to nobody who has not shown one.
        await opened.send(MetadataRequest([]))
    finally:
        opened.close()


def _chain(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__


def _of_tls(error: ssl.SSLError, address: str, security: KafkaSecurity) -> Refusal:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(error, address)
    reason = error.reason or ""
    own = f"{CERTIFICATE_FILE} and {KEY_FILE}"
    if "CERTIFICATE_REQUIRED" in reason or (security.certificate_file is None and "ALERT" in reason):
        return Refusal(
            f"{address} asks for a client's certificate",
            f"set {own}, or use the listener for passwords",
        )
    if "ALERT" in reason:
        return Refusal(
            f"{address} does not take our certificate ({reason.lower().replace('_', ' ')})",
            f"let {own} name one that its authority has issued, and that has not expired",
        )
    return Refusal(
        f"{address} does not speak TLS ({reason.lower().replace('_', ' ') or 'it hung up'})",
        f"correct the port in {BOOTSTRAP}, or set {PROTOCOL} as its listener's",
    )


def _untrusted(error: ssl.SSLCertVerificationError, address: str) -> Refusal:
    says = f"the certificate of {address} cannot be trusted ({error.verify_message})"
    if "mismatch" in error.verify_message:
        return Refusal(says, f"name brokers in {BOOTSTRAP} as their certificates do")
    if "expired" in error.verify_message:
        return Refusal(says, "renew the brokers' certificates")
    return Refusal(says, f"let {CA_FILE} name the certificate of the authority that issued it")


def _hung_up(address: str, security: KafkaSecurity) -> Refusal:
    if not security.over_tls:
        return Refusal(
            f"{address} hung up: it may speak TLS, or ask for a password",
            f"set {PROTOCOL} as its listener's: SSL or SASL_SSL",
        )
    if not security.with_password:
        return Refusal(
            f"{address} hung up: it asks for a password",
            f"set {PROTOCOL}=SASL_SSL, {USERNAME} and {PASSWORD}, or use the listener for certificates",
        )
    return Refusal(f"{address} hung up", f"look into the brokers' log, and at {PROTOCOL}")
