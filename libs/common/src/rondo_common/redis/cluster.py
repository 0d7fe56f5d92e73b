"""A Redis Cluster, which answers to what Rondo asks of a single server."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from redis.asyncio.client import PubSub
from redis.asyncio.cluster import ClusterNode, RedisCluster

CALLS_OF_FUNCTIONS = frozenset({"FCALL", "FCALL_RO"})


class SteadyCluster(RedisCluster):
    """redis-py's client of a cluster, with connections of a class of ours, which knows how many replicas
    must have an effect."""

    replicas_min = 0

    def __init__(
        self,
        hosts: Sequence[tuple[str, int]],
        connection_class: type[Any],
        **options: Any,
    ) -> None:
        super().__init__(startup_nodes=[ClusterNode(*each) for each in hosts], **options)
        # redis-py has no argument for it; nodes are made from these arguments.
        for arguments in (self.connection_kwargs, self.nodes_manager.connection_kwargs):
            arguments["connection_class"] = connection_class
        for node in self.nodes_manager.startup_nodes.values():
            node.connection_class = connection_class

    async def _determine_slot(self, command: str, *args: Any) -> int:
        if command.upper() in CALLS_OF_FUNCTIONS and int(args[1]):
            # Else redis-py asks a server which of the arguments are keys, for every single call. All keys
            # of one call are of one workspace: the first one tells.
            return self.keyslot(args[2])
        return await super()._determine_slot(command, *args)

    async def subscriber(self) -> PubSub:
        """A subscription connection to one of the primaries, whichever: what is published reaches all.

        Not to the one that a channel's name falls to, for then all would be at the same.
        """
        await self.initialize()
        return self.pubsub(node=random.choice(self.get_primaries()))  # noqa: S311 - spreads, guards nothing
