"""Who may do what at the brokers, derived from the registries of topics and of groups.

The chart's ``KafkaUser`` resources and the secure local stack have their ACLs from here. Each service is a
user of its name, and whoever watches Rondo is :data:`OPERATORS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rondo_common.consumer_groups import CONSUMER_GROUPS
from rondo_common.topics import TOPICS

OPERATORS = "operators"
"""They read every topic that is no service's own bookkeeping, see how all is set up, and change nothing."""

CLUSTER = "kafka-cluster"
"""What brokers call the cluster as a resource."""


class Operation(StrEnum):
    """What may be done, as Kafka calls it."""

    READ = "Read"
    WRITE = "Write"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"


class ResourceType(StrEnum):
    """What it may be done with, as Kafka calls it."""

    TOPIC = "topic"
    GROUP = "group"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Grant:
    """What one user may do with one resource of the brokers."""

    resource: ResourceType
    name: str
    operations: tuple[Operation, ...]


SERVICES: tuple[str, ...] = tuple(
    sorted({user for topic in TOPICS for user in (*topic.writers, *topic.readers)} - {OPERATORS})
)
"""Every service that has to do with a topic."""

USERS: tuple[str, ...] = (*SERVICES, OPERATORS)


def grants(user: str) -> list[Grant]:
    """What a service, or the operators, need of the brokers, and no more."""
    return list(_operators() if user == OPERATORS else _service(user))


def _service(service: str) -> Iterator[Grant]:
    for topic in TOPICS:
        reads = (Operation.READ,) if service in topic.readers else ()
        # An idempotent producer needs no more than Write.
        writes = (Operation.WRITE,) if service in topic.writers else ()
        if reads or writes:
            yield Grant(ResourceType.TOPIC, topic.name, (Operation.DESCRIBE, *reads, *writes))
    for group in CONSUMER_GROUPS:
        if group.service == service:
            yield Grant(ResourceType.GROUP, group.name, (Operation.DESCRIBE, Operation.READ))


def _operators() -> Iterator[Grant]:
    """To follow what happens, and what ``rondo doctor`` looks at: configurations, groups, and the ACLs,
    which brokers show to whoever may describe the cluster."""
    for topic in TOPICS:
        seen = (Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)
        reads = () if topic.internal else (Operation.READ,)
        yield Grant(ResourceType.TOPIC, topic.name, (*seen, *reads))
    for group in CONSUMER_GROUPS:
        yield Grant(ResourceType.GROUP, group.name, (Operation.DESCRIBE,))
    yield Grant(ResourceType.CLUSTER, CLUSTER, (Operation.DESCRIBE,))
