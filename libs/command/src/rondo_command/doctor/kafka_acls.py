"""Who may do what at the brokers, against what the registry says that each service needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import DescribeAclsRequest

from rondo_common.access import SERVICES, Grant, Operation, ResourceType, grants
from rondo_common.examination import Finding, doubtful, fine, wrong

SUBJECT = "kafka ACLs"
SECURITY_DISABLED = 54
NOT_AUTHORIZED = 31

_ANY = 1
_ALLOWED = 3
_PREFIXED = 4
_ALL_OPERATIONS = 2
_EVERYBODY = "User:*"
_RESOURCES = {2: ResourceType.TOPIC, 3: ResourceType.GROUP, 4: ResourceType.CLUSTER}
_OPERATIONS = {
    3: Operation.READ,
    4: Operation.WRITE,
    8: Operation.DESCRIBE,
    10: Operation.DESCRIBE_CONFIGS,
}
_IMPLIED = {Operation.READ: Operation.DESCRIBE, Operation.WRITE: Operation.DESCRIBE}
"""Who may read or write may also describe."""


@dataclass(frozen=True, slots=True)
class SeenAcl:
    """One thing that the brokers let a principal do. ``operation`` None: everything."""

    principal: str
    resource: ResourceType
    name: str
    is_prefix: bool
    operation: Operation | None

    def lets(self, resource: ResourceType, name: str, operation: Operation) -> bool:
        """Whether it lets its principal do that."""
        covers = name.startswith(self.name) if self.is_prefix else self.name in {"*", name}
        may = self.operation in {None, operation} or (
            self.operation is not None and _IMPLIED.get(self.operation) is operation
        )
        return self.resource is resource and covers and may


async def examine_acls(admin: AIOKafkaAdminClient) -> list[Finding]:
    """What is to be said of the ACLs, as far as these credentials may see them."""
    request = DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY)
    try:
        answer = await admin._send_request(request)  # noqa: SLF001 - aiokafka has no call for it yet
    except KafkaError as error:
        says = f"cannot be asked for ({type(error).__name__})"
        return [doubtful(SUBJECT, says, "ask with an admin's credentials")]
    if answer.error_code == SECURITY_DISABLED:
        return [
            doubtful(
                SUBJECT,
                "brokers have no authorizer: whoever reaches them may read and write everything",
                "fine on one machine; elsewhere set authorizer.class.name, and an ACL a service and topic",
            )
        ]
    if answer.error_code == NOT_AUTHORIZED:
        return [
            doubtful(
                SUBJECT,
                "these credentials may not see them",
                "ask with those of the operators, or of whoever may describe the cluster",
            )
        ]
    if answer.error_code:
        refusal = for_code(answer.error_code).__name__
        return [doubtful(SUBJECT, f"the brokers answer {refusal}", "look into the brokers' log")]
    return acl_findings(list(_seen(answer.resources)))


def acl_findings(seen: Iterable[SeenAcl]) -> list[Finding]:
    """What is to be said of what is allowed, against what services need. Pure."""
    acls = list(seen)
    lacking: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    count = 0
    for service in SERVICES:
        for grant in grants(service):
            for operation in grant.operations:
                count += 1
                who = _who_lacks(service, grant, operation, acls)
                if who is not None:
                    lacking[who, service, f"{grant.resource} {grant.name}"].append(operation)
    if not lacking:
        return [fine(SUBJECT, f"all {count} that services need are there")]
    return [
        wrong(
            SUBJECT,
            f"{who} {' and '.join(operations)} {resource}, as {service} must",
            f"add the ACL: `kafka-acls --add --allow-principal User:<{service}> "
            + " ".join(f"--operation {each}" for each in operations)
            + f" --{resource}`",
        )
        for (who, service, resource), operations in lacking.items()
    ]


def _who_lacks(service: str, grant: Grant, operation: Operation, acls: list[SeenAcl]) -> str | None:
    """That nobody may, or that whoever is called as the service is may not; None: all is well."""
    holders = {each.principal for each in acls if each.lets(grant.resource, grant.name, operation)}
    called = sorted({each.principal for each in acls if _is_called(each.principal, service)})
    if called and not holders & {*called, _EVERYBODY}:
        return f"{', '.join(called)} may not"
    return None if holders else "nobody may"


def _is_called(principal: str, service: str) -> bool:
    """Whether a principal is the service's own: ``User:router``, ``User:CN=rondo-router,O=…``."""
    name = principal.removeprefix("User:").removeprefix("CN=").split(",", 1)[0]
    return name == service or name.endswith(f"rondo-{service}")


def _seen(resources: Iterable[Any]) -> Iterator[SeenAcl]:
    for kind, name, pattern, acls in resources:
        for principal, _host, operation, permission in acls:
            known = operation == _ALL_OPERATIONS or operation in _OPERATIONS
            if permission == _ALLOWED and kind in _RESOURCES and known:
                yield SeenAcl(
                    principal, _RESOURCES[kind], name, pattern == _PREFIXED, _OPERATIONS.get(operation)
                )
