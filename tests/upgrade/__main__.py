"""``python -m tests.upgrade REFERENCE``: the version of a git reference and this one, side by side, loaded.

Chats are played from request to end while instances are replaced: half, all, back, and on again. At the
end each chat is in the log once, its transcript whole, its streams without a gap; nothing is a dead letter.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from rondo_common.topics import DEAD_LETTERS
from rondo_local.layout import Layout
from tests.load.chats import Load, playing
from tests.load.front import Front, in_front_of
from tests.load.verdict import check
from tests.upgrade.installation import Installation
from tests.upgrade.phases import PHASES, Phase, Side, instances, replaced
from tests.upgrade.versions import CannotCheckOut, Version, at_hand, checked_out

CHATS_A_PHASE = 24
"""So many that every pairing of gateways, routers, notifiers and histories has some."""
HOUSES = 6
"""Workspaces: spread over the partitions, so over both routers."""
CHAIRS = 1
REFUSALS = (404, 409, 503)
"""What is asked again. Versions before decision 0092 refuse for a moment what they have told already."""


def main(arguments: list[str]) -> int:
    """Run the check; the exit status."""
    if len(arguments) != 1:
        print("usage: make upgrade-check FROM=<git reference of the version before>", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="rondo-upgrade-") as directory:
        try:
            with checked_out(arguments[0], Path(directory)) as before:
                layout = Layout(root=Path(directory) / "stack", jars=Layout.of_checkout().jars)
                asyncio.run(_upgrade(Installation.in_directory(layout), before))
        except CannotCheckOut as error:
            print(f"rondo: {error}", file=sys.stderr)
            return 1
    return 0


async def _upgrade(installation: Installation, before: Version) -> None:
    versions = {Side.BEFORE: before, Side.AFTER: at_hand()}
    try:
        await installation.start_servers()
        await installation.prepare(before)
        await installation.start(before, instances())
        gateways = [each.name for each in instances() if each.service.name == "gateway"]
        async with (
            in_front_of([installation.url(name) for name in gateways]) as front,
            playing(front, installation.root_key, houses=HOUSES, chairs=CHAIRS, refusals=REFUSALS) as load,
        ):
            await load.more(CHATS_A_PHASE)
            for was, phase in itertools.pairwise(PHASES):
                print(f"{load.played:4} chats: {phase.says}", flush=True)
                await _go_on(installation, front, versions, was, phase)
                await load.more(CHATS_A_PHASE)
            await load.finish()
            await _judge(load, installation.servers.addresses.kafka_bootstrap)
    finally:
        await installation.stop_all()


async def _go_on(
    installation: Installation, front: Front, versions: dict[Side, Version], was: Phase, phase: Phase
) -> None:
    """Replace what is of another version in the next phase, as a rollout does. Topics and the schema are
    those of the newest version from its first process on."""
    which = replaced(was, phase)
    if phase is PHASES[1]:
        await installation.prepare(versions[Side.AFTER])
    sides = phase.sides()
    for each in which:
        if each.service.name == "gateway":
            await front.take_out(installation.url(each.name))
    await installation.stop(which)
    for side, version in versions.items():
        await installation.start(version, [each for each in which if sides[each.name] is side])
    for each in which:
        if each.service.name == "gateway":
            await front.put_back(installation.url(each.name))


async def _judge(load: Load, bootstrap: str) -> None:
    figures = await check(load, bootstrap)
    letters = await _dead_letters(bootstrap)
    assert letters == 0, f"{letters} records that one version could not read are dead letters"
    print(", ".join(f"{what} {count}" for what, count in figures.items()))
    print("the two versions live side by side")


async def _dead_letters(bootstrap: str) -> int:
    partitions = [TopicPartition(DEAD_LETTERS.name, number) for number in range(DEAD_LETTERS.partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        return sum((await consumer.end_offsets(partitions)).values())
    finally:
        await consumer.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
