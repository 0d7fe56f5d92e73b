from __future__ import annotations

import pytest

from rondo_local.brokers import Brokers, chosen
from rondo_local.failures import BrokersFixed, CannotRun
from rondo_local.kafka import Cluster, properties
from rondo_local.servers import SERVER_NAMES, is_server, port_names

PORTS = {
    "kafka": 1,
    "kafka-2": 2,
    "kafka-3": 3,
    "kafka-controller": 11,
    "kafka-2-controller": 12,
    "kafka-3-controller": 13,
}


def lines(brokers: Brokers, node: int) -> dict[str, str]:
    text = properties(Cluster.at(brokers, PORTS), node, node)
    return dict(line.split("=", 1) for line in text.splitlines())


def test_there_is_one_node_unless_more_are_asked_for() -> None:
    assert chosen({}, None).names == ("kafka",)
    assert chosen({"BROKERS": "3"}, None).names == ("kafka", "kafka-2", "kafka-3")


def test_a_stack_keeps_the_number_it_was_made_with() -> None:
    assert chosen({}, 3) == chosen({"BROKERS": "3"}, 3) == Brokers(3)


@pytest.mark.parametrize(("made_with", "asked_for"), [(1, "3"), (3, "1"), (3, "5")])
def test_another_number_than_the_stack_was_made_with_is_refused(made_with: int, asked_for: str) -> None:
    with pytest.raises(BrokersFixed, match=rf"made with {made_with}.*`make clean`.*BROKERS={asked_for}"):
        chosen({"BROKERS": asked_for}, made_with)


@pytest.mark.parametrize("text", ["0", "2", "4", "7", "three", "-1"])
def test_what_is_no_number_of_nodes_is_refused(text: str) -> None:
    with pytest.raises(CannotRun, match=r"BROKERS.*1, 3, 5"):
        chosen({"BROKERS": text}, None)


def test_three_nodes_keep_three_copies_and_confirm_what_two_have() -> None:
    settings = lines(Brokers(3), 2)

    assert settings["node.id"] == "2"
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:11,2@127.0.0.1:12,3@127.0.0.1:13"
    factors = {value for name, value in settings.items() if name.endswith("replication.factor")}
    in_sync = {value for name, value in settings.items() if name.endswith(("min.isr", "insync.replicas"))}
    assert factors == {"3"}
    assert in_sync == {"2"}
    assert Brokers(3).settings() == {
        "RONDO_KAFKA_REPLICATION_FACTOR": "3",
        "RONDO_KAFKA_MIN_INSYNC_REPLICAS": "2",
    }


def test_one_node_has_one_copy_of_everything_and_nobody_is_told() -> None:
    settings = lines(Brokers(), 1)

    ones = ("replication.factor", "min.isr", "insync.replicas", "num.partitions")
    assert {value for name, value in settings.items() if name.endswith(ones)} == {"1"}
    assert Brokers().settings() == {}


def test_every_node_is_a_server_with_three_ports() -> None:
    assert all(is_server(name) for name in (*Brokers(5).names, *SERVER_NAMES))
    assert not any(is_server(name) for name in ("gateway", "router-2", "kafkaesque"))
    wanted = {*PORTS, *(f"{name}-mtls" for name in Brokers(3).names)}
    assert {name for name in port_names(Brokers(3)) if name.startswith("kafka")} == wanted
