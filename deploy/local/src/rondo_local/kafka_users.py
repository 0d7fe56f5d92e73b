"""Letting users into a secure Kafka: their SCRAM credentials and their ACLs, as the registry has them.

aiokafka's admin client has no calls for these yet, so that the requests are put together here. Kafka's own
tools would take passwords as arguments, which every user of the machine can read.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import CreateAclsRequest_v1, DeleteAclsRequest, DescribeAclsRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from rondo_common.access import USERS, Operation, ResourceType, grants
from rondo_common.kafka.connection import KafkaConnection, make_admin

ITERATIONS = 4096
"""As many as Kafka asks for at least: passwords here are drawn, and long."""

_SALT_BYTES = 32
_SCRAM_SHA_512 = 2
_ANY = 1
_ALLOW = 3
_LITERAL = 3
_RESOURCES = {ResourceType.TOPIC: 2, ResourceType.GROUP: 3, ResourceType.CLUSTER: 4}
_OPERATIONS = {
    Operation.READ: 3,
    Operation.WRITE: 4,
    Operation.DESCRIBE: 8,
    Operation.DESCRIBE_CONFIGS: 10,
}


@dataclass(frozen=True)
class Acl:
    """One thing that a user may do, in the numbers of Kafka's protocol."""

    resource: int
    name: str
    pattern: int
    principal: str
    host: str
    operation: int
    permission: int


def declared_acls() -> set[Acl]:
    """What the registry lets each user do."""
    return {
        Acl(
            _RESOURCES[grant.resource],
            grant.name,
            _LITERAL,
            f"User:{user}",
            "*",
            _OPERATIONS[operation],
            _ALLOW,
        )
        for user in USERS
        for grant in grants(user)
        for operation in grant.operations
    }


async def let_users_in(connection: KafkaConnection, passwords: Mapping[str, str]) -> None:
    """Let every user in with their password, to do what the registry declares and no more.

    Safe to repeat, also while clients are connected. Raises KafkaError.
    """
    admin = make_admin(connection)
    try:
        await admin.start()
        await _set_passwords(admin, passwords)
        await set_acls(admin, declared_acls())
    finally:
        await admin.close()


async def _set_passwords(admin: AIOKafkaAdminClient, passwords: Mapping[str, str]) -> None:
    answer = await _sent(admin, _AlterUserScramCredentials(passwords))
    _refuse(code for _user, code, *_ in answer.results)


async def set_acls(admin: AIOKafkaAdminClient, wanted: set[Acl]) -> None:
    """Make ACLs these and no others. Raises KafkaError."""
    described = await _sent(admin, DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY))
    _refuse([described.error_code])
    there = {
        Acl(resource, name, pattern, *acl)
        for resource, name, pattern, acls in described.resources
        for acl in acls
    }
    if wanted - there:
        created = await _sent(admin, _CreateAcls(wanted - there))
        _refuse(code for code, _ in created.creation_responses)
    for surplus in there - wanted:
        deleted = await _sent(
            admin,
            DeleteAclsRequest(
                surplus.resource,
                surplus.name,
                surplus.pattern,
                surplus.principal,
                surplus.host,
                surplus.operation,
                surplus.permission,
            ),
        )
        _refuse(code for code, *_ in deleted.filter_responses)


async def _sent(admin: AIOKafkaAdminClient, request: Request[Any]) -> Any:
    return await admin._send_request(request)  # noqa: SLF001 - there is no public way to send these


def _refuse(codes: Iterable[int]) -> None:
    for code in codes:
        if code:
            refusal: type[KafkaError] = for_code(code)
            raise refusal


class _CreateAcls(Request[CreateAclsRequest_v1]):  # type: ignore[misc]  # aiokafka has no types
    """Like aiokafka's own, for many at once."""

    API_KEY = CreateAclsRequest_v1.API_KEY

    def __init__(self, acls: Iterable[Acl]) -> None:
        self._acls = [astuple(each) for each in acls]

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        return request_struct_class(self._acls)


class _AlterUserScramCredentialsResponseV0(Response):  # type: ignore[misc]  # as above
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _AlterUserScramCredentialsRequestV0(RequestStruct):  # type: ignore[misc]  # as above
    FLEXIBLE_VERSION = True
    API_KEY = 51
    API_VERSION = 0
    RESPONSE_TYPE = _AlterUserScramCredentialsResponseV0
    SCHEMA = Schema(
        (
            "deletions",
            CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields)),
        ),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _AlterUserScramCredentials(Request[_AlterUserScramCredentialsRequestV0]):  # type: ignore[misc]
    """Set passwords, which the broker is told salted (KIP-554)."""

    API_KEY = 51

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._passwords = passwords

    def build(
        self, request_struct_class: type[_AlterUserScramCredentialsRequestV0]
    ) -> _AlterUserScramCredentialsRequestV0:
        upsertions = [_upsertion(user, password) for user, password in self._passwords.items()]
        return request_struct_class([], upsertions, {})


def _upsertion(user: str, password: str) -> tuple[object, ...]:
    salt = secrets.token_bytes(_SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return user, _SCRAM_SHA_512, ITERATIONS, salt, salted, {}
