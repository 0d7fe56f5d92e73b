"""Kafka's part of a secure stack: what the server's settings are, and how each user is let in.

Clients log in with SCRAM over TLS; or they show a certificate, on a listener of its own that asks for one,
which the brokers and controllers also use among themselves. Who may do what are ACLs, and nobody may do
what no ACL lets them, but for the admin and the servers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rondo_common.access import USERS
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.security import KafkaSecurity
from rondo_local.ports import HOST
from rondo_local.security import Security

SERVER = "kafka"
ADMIN = "admin"
ADMINISTERING = frozenset({"create-topics"})
"""Steps that are the admin to Kafka."""

CLIENT_ID = "rondo-local"
MECHANISM = "SCRAM-SHA-512"
KEYSTORE = "keystore.pem"

_LOGIN_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"


@dataclass(frozen=True)
class KafkaEntrance:
    """How users come in at the listeners of a secure broker."""

    security: Security
    sasl_bootstrap: str
    mtls_bootstrap: str

    def properties(self) -> str:
        """Lines of `server.properties`, to stand after those that say where the listeners are."""
        return f"""\
listener.security.protocol.map=SASL_SSL:SASL_SSL,SSL:SSL,CONTROLLER:SSL
inter.broker.listener.name=SSL
sasl.enabled.mechanisms={MECHANISM}
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={_LOGIN_MODULE} required;
ssl.keystore.type=PEM
ssl.keystore.location={KEYSTORE}
ssl.truststore.type=PEM
ssl.truststore.location={self.security.certificates.ca_file}
listener.name.ssl.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:{ADMIN};User:{SERVER}
"""

    def keystore(self) -> str:
        """The server's key and certificate, in the one file that Kafka wants."""
        files = self.security.certificates.server(SERVER)
        return files.key.read_text(encoding="ascii") + files.certificate.read_text(encoding="ascii")

    def told(self, user: str) -> dict[str, str]:
        """The variables by which `user` is let in; nothing for who has nothing to do with Kafka."""
        name = ADMIN if user in ADMINISTERING else user
        if name not in (*USERS, ADMIN):
            return {}
        return {
            "RONDO_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "RONDO_KAFKA_CA_FILE": str(self.security.certificates.ca_file),
            "RONDO_KAFKA_SASL_MECHANISM": MECHANISM,
            "RONDO_KAFKA_USERNAME": name,
            "RONDO_KAFKA_PASSWORD": self.password(name),
        }

    def told_with_certificate(self, user: str) -> dict[str, str]:
        """The variables by which `user` is let in by a certificate."""
        files = self.security.certificates.client(user)
        return {
            "RONDO_KAFKA_BOOTSTRAP": self.mtls_bootstrap,
            "RONDO_KAFKA_SECURITY_PROTOCOL": "SSL",
            "RONDO_KAFKA_CA_FILE": str(self.security.certificates.ca_file),
            "RONDO_KAFKA_CERTIFICATE_FILE": str(files.certificate),
            "RONDO_KAFKA_KEY_FILE": str(files.key),
        }

    def passwords(self) -> Mapping[str, str]:
        """Of every user that logs in."""
        return {user: self.password(user) for user in (*USERS, ADMIN)}

    def password(self, user: str) -> str:
        """Of one user."""
        return self.security.password(SERVER, user)

    def admin_with_password(self) -> KafkaConnection:
        """The admin, let in as services are."""
        security = KafkaSecurity(
            protocol="SASL_SSL",
            ca_file=self.security.certificates.ca_file,
            username=ADMIN,
            password=self.password(ADMIN),
        )
        return KafkaConnection(self.sasl_bootstrap, CLIENT_ID, security)

    def admin_with_certificate(self) -> KafkaConnection:
        """The admin, let in before any password is known to the broker."""
        files = self.security.certificates.client(ADMIN)
        security = KafkaSecurity(
            protocol="SSL",
            ca_file=self.security.certificates.ca_file,
            certificate_file=files.certificate,
            key_file=files.key,
        )
        return KafkaConnection(self.mtls_bootstrap, CLIENT_ID, security)


def secure_listeners(port: int, mtls_port: int, controller_port: int) -> str:
    """The lines of `server.properties` that say where a secure node listens."""
    for_clients = f"SASL_SSL://{HOST}:{port},SSL://{HOST}:{mtls_port}"
    return f"""\
listeners={for_clients},CONTROLLER://{HOST}:{controller_port}
advertised.listeners={for_clients}
"""
