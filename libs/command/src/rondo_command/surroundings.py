"""Where Rondo is, and as whom to speak to it: from the environment, as `make up` writes it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import ValidationError

from rondo_command.failures import WrongUse
from rondo_common.given_settings import settings_of
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.settings import KafkaSettings
from rondo_common.service import problems

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


def kafka(environ: Mapping[str, str] = os.environ) -> KafkaConnection:
    """Where the brokers are, and as whom to come. Raises ``WrongUse``."""
    variable("RONDO_KAFKA_BOOTSTRAP", environ)
    try:
        settings = settings_of(KafkaSettings, environ)
    except ValidationError as error:
        raise WrongUse(f"{'; '.join(problems(error))}; see docs/settings.md") from None
    return KafkaConnection.of(settings, client_id=CLIENT_ID)
