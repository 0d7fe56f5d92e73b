"""Where Rondo is, and as whom to speak to it: from the environment, as `make up` writes it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from rondo_command.failures import WrongUse
from rondo_common.kafka.connection import KafkaConnection

CLIENT_ID = "rondo-command"


def variable(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """The variable's value.

    Raises:
        WrongUse: it is not set.
    """
    value = environ.get(name, "")
    if not value:
        raise WrongUse(f"{name} is not set: `source .local/env`, or set it; see docs/command-line.md")
    return value


def kafka() -> KafkaConnection:
    """Where the brokers are. Raises ``WrongUse``."""
    return KafkaConnection(variable("RONDO_KAFKA_BOOTSTRAP"), client_id=CLIENT_ID)
