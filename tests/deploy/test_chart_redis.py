"""How the chart's pods are let in at Redis: variables and files, of those services alone that use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rondo_common.redis.address import Topology
from rondo_common.redis.settings import RedisSettings
from tests.deploy.helm_process import refusal
from tests.deploy.pod_files import files_in, secret_of
from tests.deploy.value_sets import Resource, pods, value_set, variables

InHelm = Callable[..., Any]
FILES = "/etc/rondo/redis"
OWN = {"existingSecret": "rondo-keys"}
USING = {"gateway", "router", "notifier"}


def redis_variables(pod: Resource) -> dict[str, Resource]:
    return {name: each for name, each in variables(pod).items() if name.startswith("RONDO_REDIS_")}


def using(rendered: list[Resource]) -> dict[str, Resource]:
    """The pods by the service that runs there, Jobs too."""
    return {name.rpartition("/rondo-")[2]: pod for name, pod in pods(rendered).items()}


def test_without_security_pods_have_the_url_alone(rendered: dict[str, list[Resource]]) -> None:
    for name, pod in using(rendered["least"]).items():
        assert set(redis_variables(pod)) == ({"RONDO_REDIS_URL"} if name in USING else set())
        assert files_in(pod, FILES) == {}


def test_behind_sentinels_each_service_comes_as_its_own_user_over_tls(
    rendered: dict[str, list[Resource]],
) -> None:
    for name, pod in using(rendered["sentinels"]).items():
        given = redis_variables(pod)
        if name not in USING:
            assert given == {}
            assert files_in(pod, FILES) == {}
            continue
        assert secret_of(given.pop("RONDO_REDIS_URL")) == (f"redis-{name}", "url")
        assert secret_of(given.pop("RONDO_REDIS_SENTINEL_PASSWORD")) == ("redis-sentinels", "password")
        assert {variable: each["value"] for variable, each in given.items()} == {
            "RONDO_REDIS_TOPOLOGY": Topology.SENTINEL,
            "RONDO_REDIS_SENTINEL_SERVICE": "rondo",
            "RONDO_REDIS_SENTINEL_USERNAME": "rondo",
            "RONDO_REDIS_REPLICAS_MIN": "1",
            "RONDO_REDIS_CA_FILE": f"{FILES}/ca.crt",
            "RONDO_REDIS_CERTIFICATE_FILE": f"{FILES}/user.crt",
            "RONDO_REDIS_KEY_FILE": f"{FILES}/user.key",
        }
        assert set(redis_variables(pod)) == {f"RONDO_{each}".upper() for each in RedisSettings.model_fields}
        assert files_in(pod, FILES) == {
            f"{FILES}/ca.crt": ("redis-authority", "authority.pem"),
            f"{FILES}/user.crt": ("redis-client", "tls.crt"),
            f"{FILES}/user.key": ("redis-client", "tls.key"),
        }


@pytest.mark.parametrize(
    ("redis", "remedy"),
    [
        ({"existingSecret": ""}, "redis.existingSecret"),
        (
            {"existingSecret": "", "perService": {"gateway": "a", "router": "b"}},
            "redis.perService.notifier",
        ),
        (OWN | {"topology": "sentinel"}, "redis.sentinel.service"),
        (OWN | {"sentinel": {"service": "rondo"}}, "redis.topology=sentinel"),
        ({"url": "redis://valkey", "ca": {"existingSecret": "ca"}}, "begin with rediss://"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_remedy(
    in_helm: InHelm, redis: Resource, remedy: str
) -> None:
    assert remedy in in_helm(refusal, value_set("least", redis=redis))
