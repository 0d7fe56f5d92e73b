"""What the doctor says of a cluster, and of those who may not ask."""

from __future__ import annotations

from rondo_command.doctor.redis import examine_redis
from rondo_common.access import OPERATORS
from rondo_common.examination import Finding, Level
from rondo_common.redis.users import GATEWAY, USERS
from rondo_local.ports import HOST
from tests.redis_topologies import Cluster, password_of

(WATCHER,) = (each for each in USERS if each.name == OPERATORS)


def environ(cluster: Cluster, userinfo: str, **more: str) -> dict[str, str]:
    places = ",".join(f"{HOST}:{node.port}" for node in cluster.nodes)
    return {"RONDO_REDIS_URL": f"redis://{userinfo}{places}/0", "RONDO_REDIS_TOPOLOGY": "cluster", **more}


def said(findings: list[Finding], level: Level) -> str:
    return "\n".join(
        f"{each.subject}: {each.says} → {each.remedy}" for each in findings if each.level is level
    )


async def test_every_primary_of_a_cluster_is_examined(cluster: Cluster) -> None:
    userinfo = f"{OPERATORS}:{password_of(WATCHER)}@"
    findings = list(await examine_redis(environ(cluster, userinfo)))
    assert said(findings, Level.WRONG) == ""
    assert "3 primaries serve every slot" in said(findings, Level.OK)
    for node in cluster.nodes:
        assert f"redis {HOST}:{node.port}: keys are never evicted" in said(findings, Level.OK)
        assert f"redis {HOST}:{node.port}: it has no replica" in said(findings, Level.WARNING)
    assert "without TLS" in said(findings, Level.WARNING)
    assert password_of(WATCHER) not in repr(findings)


async def test_replicas_that_are_missing_are_told(cluster: Cluster) -> None:
    userinfo = f"{OPERATORS}:{password_of(WATCHER)}@"
    findings = list(await examine_redis(environ(cluster, userinfo, RONDO_REDIS_REPLICAS_MIN="1")))
    assert "RONDO_REDIS_REPLICAS_MIN asks for 1: no effect counts" in said(findings, Level.WRONG)


async def test_who_may_not_look_is_told_as_whom_to_ask(cluster: Cluster) -> None:
    findings = list(await examine_redis(environ(cluster, f"{GATEWAY.name}:{password_of(GATEWAY)}@")))
    assert OPERATORS in said(findings, Level.WARNING)
    assert said(findings, Level.WRONG) == ""


async def test_a_wrong_password_is_told_and_not_shown(cluster: Cluster) -> None:
    findings = list(await examine_redis(environ(cluster, "gateway:topsecret@")))
    assert "RONDO_REDIS_URL" in said(findings, Level.WRONG)
    assert "password" in said(findings, Level.WRONG)
    assert "topsecret" not in repr(findings)


async def test_settings_that_do_not_go_together_are_told(cluster: Cluster) -> None:
    wrong = environ(
        cluster, "u:topsecret@", RONDO_REDIS_TOPOLOGY="standalone", RONDO_REDIS_CA_FILE="nowhere"
    )
    findings = list(await examine_redis(wrong))
    assert "set RONDO_REDIS_TOPOLOGY to cluster or sentinel" in said(findings, Level.WRONG)
    assert "topsecret" not in repr(findings)
