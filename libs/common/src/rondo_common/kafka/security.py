"""How a client is let in by the brokers: in Kafka's own words, and as aiokafka wants them."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aiokafka.helpers import create_ssl_context

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """Whether brokers are spoken to over TLS, whom to trust, and as whom. The default: none of it.

    Files are read whenever a client is made, so that a renewed certificate is taken with the next start.
    """

    protocol: SecurityProtocol = "PLAINTEXT"
    ca_file: Path | None = None
    """Who vouches for the brokers; None: the authorities that this machine trusts."""
    certificate_file: Path | None = None
    key_file: Path | None = None
    mechanism: SaslMechanism = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def over_tls(self) -> bool:
        """Whether what is said is encrypted."""
        return self.protocol in {"SSL", "SASL_SSL"}

    @property
    def with_password(self) -> bool:
        """Whether the client shows a user's password."""
        return self.protocol in {"SASL_PLAINTEXT", "SASL_SSL"}

    def ssl_context(self) -> ssl.SSLContext | None:
        """Whom to trust and what to show; None without TLS.

        Raises:
            OSError: a file cannot be read, or (``ssl.SSLError``) is not what it should be.
        """
        if not self.over_tls:
            return None
        context: ssl.SSLContext = create_ssl_context(
            cafile=self.ca_file,
            certfile=self.certificate_file,
            keyfile=self.key_file,
            # Else OpenSSL would ask the terminal for the passphrase of a key that has one.
            password="",
        )
        return context

    def client_options(self) -> dict[str, Any]:
        """The arguments of any of aiokafka's clients. Raises what :meth:`ssl_context` does."""
        options: dict[str, Any] = {"security_protocol": self.protocol, "ssl_context": self.ssl_context()}
        if self.with_password:
            options["sasl_mechanism"] = self.mechanism
            options["sasl_plain_username"] = self.username
            options["sasl_plain_password"] = self.password
        return options
