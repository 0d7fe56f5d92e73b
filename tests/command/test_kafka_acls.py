"""What the doctor says of ACLs, seen as brokers tell them."""

from __future__ import annotations

import pytest

from rondo_command.doctor.kafka_acls import SeenAcl, acl_findings
from rondo_common.access import SERVICES, Operation, ResourceType, grants
from rondo_common.examination import Level


def as_declared(called: str = "User:{}") -> list[SeenAcl]:
    return [
        SeenAcl(called.format(service), grant.resource, grant.name, is_prefix=False, operation=operation)
        for service in SERVICES
        for grant in grants(service)
        for operation in grant.operations
    ]


def told(acls: list[SeenAcl]) -> list[str]:
    findings = acl_findings(acls)
    assert all(each.level is Level.WRONG and "kafka-acls --add" in each.remedy for each in findings)
    return [each.says for each in findings]


@pytest.mark.parametrize("called", ["User:{}", "User:CN=rondo-{}", "User:CN={},O=Rondo", "User:{}-of-shop"])
def test_what_is_declared_is_fine_whatever_users_are_called(called: str) -> None:
    (finding,) = acl_findings(as_declared(called))
    assert finding.level is Level.OK


def test_an_acl_that_is_missing_is_told_with_whose_it_is() -> None:
    acls = [
        each
        for each in as_declared()
        if (each.principal, each.name, each.operation)
        != ("User:router", "rondo.conversations", Operation.WRITE)
    ]
    assert told(acls) == ["User:router may not Write topic rondo.conversations, as router must"]


def test_what_nobody_may_is_told() -> None:
    acls = [each for each in as_declared("User:chat") if each.name != "rondo.webhooks"]
    assert told(acls) == ["nobody may Describe and Read group rondo.webhooks, as notifier must"]


def test_one_user_for_all_with_everything_by_prefix_is_fine() -> None:
    everything = [
        SeenAcl("User:rondo", kind, "rondo.", is_prefix=True, operation=None)
        for kind in (ResourceType.TOPIC, ResourceType.GROUP)
    ]
    (finding,) = acl_findings(everything)
    assert finding.level is Level.OK


def test_who_may_read_may_also_describe() -> None:
    acls = [each for each in as_declared() if each.operation is not Operation.DESCRIBE]
    (finding,) = acl_findings(acls)
    assert finding.level is Level.OK


def test_another_topic_of_a_longer_name_is_not_meant() -> None:
    acls = [
        SeenAcl(each.principal, each.resource, f"{each.name}.x", is_prefix=False, operation=each.operation)
        if each.name == "rondo.agents"
        else each
        for each in as_declared("User:chat")
    ]
    assert told(acls) == [
        "nobody may Describe and Read topic rondo.agents, as notifier must",
        "nobody may Describe and Read and Write topic rondo.agents, as router must",
    ]
