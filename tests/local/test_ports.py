from __future__ import annotations

import random
import socket
from collections.abc import Collection, Iterator

import pytest

from rondo_local.failures import PortMoved, PortTaken
from rondo_local.ports import AUTOMATIC_PORTS, HOST, choose, from_environment, is_free, settle

VARIABLES = {"kafka": "RONDO_KAFKA_PORT", "gateway": "RONDO_GATEWAY_PORT"}


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def settled(
    *,
    remembered: dict[str, int] | None = None,
    wanted: dict[str, int] | None = None,
    alive: Collection[str] = (),
    taken: Collection[int] = (),
) -> dict[str, int]:
    return settle(
        ["kafka", "kafka-controller", "gateway"],
        remembered=remembered or {},
        wanted=wanted or {},
        alive=alive,
        variables=VARIABLES,
        free=lambda port: port not in taken,
        pick=lambda reserved: next(p for p in AUTOMATIC_PORTS if p not in {*reserved, *taken}),
    )


def test_a_listening_port_is_not_free(taken_port: int) -> None:
    assert not is_free(taken_port)


def test_a_chosen_port_is_free_and_not_among_those_taken() -> None:
    port = choose(set(AUTOMATIC_PORTS[:-50]), random.Random(7))

    assert port in AUTOMATIC_PORTS[-50:]
    assert is_free(port)


def test_every_process_gets_a_port_of_its_own() -> None:
    ports = settled()

    assert len(set(ports.values())) == len(ports) == 3


def test_a_remembered_port_stays() -> None:
    assert settled(remembered={"gateway": 4711})["gateway"] == 4711


def test_a_port_that_is_set_replaces_the_remembered_one_while_nothing_runs() -> None:
    assert settled(remembered={"gateway": 4711}, wanted={"gateway": 9000})["gateway"] == 9000


def test_a_remembered_port_that_was_taken_meanwhile_is_chosen_anew_while_nothing_runs() -> None:
    assert settled(remembered={"gateway": 4711}, taken=[4711])["gateway"] != 4711


def test_a_taken_port_that_was_set_is_refused_by_its_name_with_its_variable() -> None:
    with pytest.raises(PortTaken, match=r"port 9000 for gateway .* set RONDO_GATEWAY_PORT"):
        settled(wanted={"gateway": 9000}, taken=[9000])


def test_no_port_moves_while_a_part_of_the_stack_runs() -> None:
    remembered = {"kafka": 4710, "kafka-controller": 4709, "gateway": 4711}

    with pytest.raises(PortMoved, match="make down"):
        settled(remembered=remembered, wanted={"kafka": 9000}, alive=["gateway"])
    with pytest.raises(PortTaken, match="port 4710 for kafka"):
        settled(remembered=remembered, taken=[4710], alive=["gateway"])


def test_the_port_of_a_running_process_counts_as_its_own() -> None:
    remembered = {"kafka": 4710, "kafka-controller": 4709, "gateway": 4711}

    ports = settled(remembered=remembered, taken=[4711], alive=["gateway"])

    assert ports == remembered


@pytest.mark.parametrize("text", ["x", "0", "65536", "-1", "80.0"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(PortTaken, match="RONDO_KAFKA_PORT"):
        from_environment({"RONDO_KAFKA_PORT": text}, VARIABLES)


def test_ports_are_read_from_their_variables_and_an_empty_one_is_not_set() -> None:
    environ = {"RONDO_KAFKA_PORT": "9092", "RONDO_GATEWAY_PORT": ""}

    assert from_environment(environ, VARIABLES) == {"kafka": 9092}
