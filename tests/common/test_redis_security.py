"""Redis over TLS, with a user a service: everybody does what they must, and is refused everything else."""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from rondo_common.access import OPERATORS
from rondo_common.errors import Unavailable
from rondo_common.redis.address import Topology, Trust, redis_address
from rondo_common.redis.connection import connect_redis, ping
from rondo_common.redis.users import GATEWAY, NOTIFIER, ROUTER, USERS, acl_file, acl_template
from rondo_gateway.adapters.redis_effects import gateway_functions
from rondo_local import process
from rondo_local.certificates import Certificates
from rondo_local.layout import Layout
from rondo_local.ports import choose
from rondo_local.security import Security
from rondo_local.valkey import SERVER, Valkey
from rondo_notifier.adapters.redis_alerts import RedisAlerts
from rondo_notifier.adapters.redis_mailboxes import RedisMailboxes
from rondo_notifier.adapters.redis_webhook_schedule import RedisWebhookSchedule
from rondo_router.adapters.redis_switchboard import RedisSwitchboard
from tests.common.test_redis_connection import cancel_at_any_moment

READY_TIMEOUT_S = 60.0
PASSWORD = "a-password-of-nobody"

SERVICES = [pytest.param(each.name, id=each.name) for each in USERS]

NEEDED_BY_NOBODY = (
    "CONFIG GET requirepass",
    "CONFIG SET dir /etc",
    "FLUSHALL",
    "FLUSHDB",
    "KEYS *",
    "DEBUG SLEEP 0",
    "SHUTDOWN",
    "ACL LIST",
    "ACL SETUSER default on",
    "EVAL return 0",
    "FUNCTION FLUSH",
    "MONITOR",
    "CLIENT KILL ID 1",
    "REPLICAOF NO ONE",
    "CLUSTER RESET",
    "SET elsewhere 1",
    "GET elsewhere",
    "SUBSCRIBE elsewhere",
    "PSUBSCRIBE *",
    "PUBLISH elsewhere x",
)
ANOTHERS = {
    "gateway": (
        "HSET rondo:{w}:chat:c status ended",
        "HGET rondo:{w}:chat:c status",
        "GET rondo:{w}:decision:d",
        "ZADD rondo:{w}:timers 1 t",
        "SET rondo:epoch:{0} 1",
        "SET rondo:{w}:answer:c x",
        "DEL rondo:{w}:mailbox:agent:a",
        "HSET rondo:{w}:webhook:h:state epoch 9",
        "GET rondo:{mail}:news:w/a:alone",
        "SCAN 0",
    ),
    "router": (
        "HGET rondo:{w}:webhook:h:bodies d",
        "GET rondo:{w}:sign_in_link:s",
        "SET rondo:{w}:limit:l:s 1",
        "GET rondo:webhooks:{0}:epoch",
        "PUBLISH rondo:{w}:mailbox:agent:a x",
        "SUBSCRIBE rondo:doorbells",
    ),
    "notifier": (
        "HGET rondo:{w}:agent:a:sessions s",
        "HSET rondo:{w}:conversation:c status ended",
        "HGET rondo:{w}:conversation:c status",
        "ZADD rondo:{w}:queue 1 c",
        "SET rondo:epoch:{0} 1",
        "PUBLISH rondo:{w}:answer:c x",
    ),
    "operators": (
        "SET rondo:{w}:epoch 1",
        "DEL rondo:{w}:epoch",
        "FCALL rondo_show 1 rondo:{w}",
    ),
}
"""Commands by the user that is refused them: the keys and channels are of others."""


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """The secure stack's Valkey, alone."""
    layout = Layout(root=Path(tmp_path_factory.mktemp("secure")), jars=Path())
    layout.prepare()
    security = Security(Certificates(layout.certificates), "a seed")
    server = Valkey(
        layout.data / "valkey", choose((), random.SystemRandom()), os.environ, security=security
    )

    async def start() -> None:
        program = await server.prepare(layout.log_file(server.name), print)
        identity = process.launch(program, layout)
        await process.until_ready(server.name, identity, layout, server.is_ready, READY_TIMEOUT_S)

    try:
        asyncio.run(start())
        yield server
    finally:
        asyncio.run(process.stop(layout, [server.name]))


@asynccontextmanager
async def as_user(valkey: Valkey, user: str) -> AsyncIterator[Any]:
    """A client of the secure server, as one of its users."""
    told = valkey.told(user)
    address = redis_address(told["RONDO_REDIS_URL"], trust=Trust(told["RONDO_REDIS_CA_FILE"]))
    client = connect_redis(address, client_name="tests")
    try:
        yield client
    finally:
        await client.aclose()


@pytest.mark.parametrize("user", SERVICES)
async def test_every_user_is_let_in_over_tls(valkey: Valkey, user: str) -> None:
    async with as_user(valkey, user) as redis:
        await ping(redis)
        assert await redis.execute_command("PING") is True


async def test_every_service_may_load_its_functions(valkey: Valkey) -> None:
    loading: dict[str, list[Callable[[Redis], Any]]] = {
        GATEWAY.name: [lambda redis: gateway_functions(redis).load()],
        ROUTER.name: [lambda redis: RedisSwitchboard(redis).load()],
        NOTIFIER.name: [
            lambda redis: RedisMailboxes(redis).load(),
            lambda redis: RedisAlerts(redis).load_functions(),
            lambda redis: RedisWebhookSchedule(redis).load(),
        ],
    }
    for user, loads in loading.items():
        async with as_user(valkey, user) as redis:
            for load in loads:
                await load(redis)
    async with as_user(valkey, OPERATORS) as redis:
        assert len(await redis.function_list()) == 5


@pytest.mark.parametrize("user", SERVICES)
async def test_nobody_may_do_what_no_service_needs(valkey: Valkey, user: str) -> None:
    async with as_user(valkey, user) as redis:
        for command in NEEDED_BY_NOBODY:
            with pytest.raises(ResponseError, match=r"permission|command not allowed"):
                await redis.execute_command(*command.split(" "))


@pytest.mark.parametrize("user", SERVICES)
async def test_no_service_may_touch_what_is_anothers(valkey: Valkey, user: str) -> None:
    async with as_user(valkey, user) as redis:
        for command in ANOTHERS[user]:
            with pytest.raises(NoPermissionError):
                await redis.execute_command(*command.split(" "))


async def test_a_function_may_do_no_more_than_who_calls_it(valkey: Valkey) -> None:
    async with as_user(valkey, ROUTER.name) as router:
        await RedisSwitchboard(router).load()
    async with as_user(valkey, NOTIFIER.name) as notifier:
        with pytest.raises(NoPermissionError):
            await RedisSwitchboard(notifier).claim(0, 1)


async def refused(address: Any) -> str:
    """What is said to whom the server, or the client, does not trust."""
    client = connect_redis(address, client_name="tests")
    try:
        with pytest.raises(Unavailable) as caught:
            await ping(client)
        return f"{caught.value} {caught.value!r} {client!r} {address!r} {address}"
    finally:
        await client.aclose()


async def test_who_is_not_known_is_refused_and_no_password_is_told(valkey: Valkey, tmp_path: Path) -> None:
    assert valkey.security is not None
    right = valkey.security.password(SERVER, "gateway")
    ca = Trust(str(valkey.security.certificates.ca_file))
    place = valkey.address.removeprefix("rediss://")
    others = Trust(str(Certificates(tmp_path).ca_file))

    said = {
        "wrong password": await refused(redis_address(f"rediss://gateway:{PASSWORD}@{place}", trust=ca)),
        "nobody": await refused(redis_address(f"rediss://{place}", trust=ca)),
        "no TLS": await refused(redis_address(f"redis://gateway:{right}@{place}")),
        "foreign authority": await refused(
            redis_address(f"rediss://gateway:{right}@{place}", trust=others)
        ),
        "no authority": await refused(redis_address(f"rediss://gateway:{right}@{place}")),
    }
    assert "password" in said["wrong password"]
    assert "authenticated" in said["nobody"]
    assert "certificate verify failed" in said["foreign authority"]
    assert "certificate verify failed" in said["no authority"]
    for text in said.values():
        assert right not in text
        assert PASSWORD not in text


async def test_a_cancellation_at_any_moment_over_tls_ends_the_task(valkey: Valkey) -> None:
    async with as_user(valkey, GATEWAY.name) as redis:
        await cancel_at_any_moment(redis, "rondo:{w}:directory_offset")


def test_an_acl_file_holds_no_password_and_lets_nobody_else_in() -> None:
    text = acl_file({each.name: f"{PASSWORD}-{each.name}" for each in USERS})
    assert PASSWORD not in text
    assert text.startswith("user default reset\n")
    assert [line.split()[1] for line in text.splitlines()[1:]] == [each.name for each in USERS]
    assert "+@all" not in text
    assert "allkeys" not in text
    assert acl_template().count("SHA256-OF-THE-PASSWORD") == len(USERS)


@pytest.mark.parametrize(
    ("url", "options", "remedy"),
    [
        ("http://h", {}, "write RONDO_REDIS_URL as redis://"),
        ("redis://", {}, "names no host"),
        ("redis://h:port", {}, "a port that is none"),
        ("redis://user@h", {}, "user:password@host"),
        (f"redis://u:{PASSWORD}#x@h", {}, "takes nothing behind the database"),
        (f"redis://u:{PASSWORD}@h?x=1", {}, "takes nothing behind the database"),
        ("redis://h/one", {}, "a number"),
        ("redis://a,b", {}, "set RONDO_REDIS_TOPOLOGY to cluster or sentinel"),
        ("redis://a,b/1", {"topology": Topology.CLUSTER}, "end RONDO_REDIS_URL with /0"),
        ("redis://a", {"topology": Topology.SENTINEL}, "set RONDO_REDIS_SENTINEL_SERVICE"),
        ("redis://a", {"sentinel_service": "s"}, "RONDO_REDIS_TOPOLOGY is not sentinel"),
        ("redis://a", {"trust": Trust("ca.pem")}, "let it begin with rediss://"),
        ("rediss://a", {"trust": Trust("nowhere.pem")}, "RONDO_REDIS_CA_FILE leads to no file"),
        ("rediss://a", {"trust": Trust(certificate_file=__file__)}, "KEY_FILE together"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_remedy(
    url: str, options: dict[str, Any], remedy: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(remedy)) as caught:
        redis_address(url, **options)
    assert PASSWORD not in str(caught.value)


def test_an_address_is_read_with_all_its_parts_and_shown_without_the_password() -> None:
    address = redis_address(
        f"rediss://us%40er:{PASSWORD}%2F@one:1,[::1],three/0",
        topology=Topology.SENTINEL,
        sentinel_service="rondo",
    )
    assert address.hosts == (("one", 1), ("::1", 26379), ("three", 26379))
    assert (address.credentials.user, address.credentials.password) == ("us@er", f"{PASSWORD}/")
    assert PASSWORD not in f"{address} {address!r}"
