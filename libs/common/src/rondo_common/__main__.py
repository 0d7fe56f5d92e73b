"""``python -m rondo_common create-topics``: create the declared topics on the broker."""

from __future__ import annotations

import asyncio
import sys

from rondo_common.errors import Fatal, Unavailable
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.refusals import why_refused
from rondo_common.kafka.settings import KafkaSettings
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.service import read_settings
from rondo_common.topics import TOPICS


def main(arguments: list[str]) -> int:
    """Run the command; the exit status."""
    if arguments != ["create-topics"]:
        print("usage: python -m rondo_common create-topics", file=sys.stderr)
        return 2
    settings = read_settings(KafkaSettings)
    connection = KafkaConnection.of(settings, client_id="rondo-topics")
    try:
        created = asyncio.run(
            create_topics(
                connection,
                TOPICS,
                replication_factor=settings.kafka_replication_factor,
                in_sync_min=settings.kafka_min_insync_replicas,
            )
        )
    except Fatal as error:
        print(error, file=sys.stderr)
        return 1
    except Unavailable as error:
        refusal = asyncio.run(why_refused(connection))
        print(f"{error}; {refusal or 'look at what `rondo doctor` says'}", file=sys.stderr)
        return 1
    print(f"topics created: {', '.join(created) or 'none, all exist'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
