from __future__ import annotations

from pathlib import Path

import pytest

from rondo_local.brokers import Brokers
from rondo_local.failures import CannotRun
from rondo_local.layout import Layout
from rondo_local.servers import Servers, port_names
from rondo_local.services import SERVICES, Instance, Surroundings, instances
from rondo_local.state import State

ROUTER = next(service for service in SERVICES if service.name == "router")


def names(environ: dict[str, str], recorded: list[str]) -> list[str]:
    return [instance.name for instance in instances([ROUTER], environ, recorded)]


def test_there_is_one_of_each_unless_more_are_asked_for() -> None:
    assert names({}, []) == ["router"]
    assert names({"ROUTERS": "3"}, []) == ["router", "router-2", "router-3"]


def test_asking_for_fewer_leaves_those_that_were_started() -> None:
    assert names({"ROUTERS": "1"}, ["router", "router-3"]) == ["router", "router-3"]


@pytest.mark.parametrize("count", ["0", "33", "two", "-1"])
def test_what_is_no_count_is_refused(count: str) -> None:
    with pytest.raises(CannotRun, match="ROUTERS"):
        names({"ROUTERS": count}, [])


def test_the_caller_sets_everything_but_the_addresses_of_the_stack(tmp_path: Path) -> None:
    environ = {
        "RONDO_SMTP_URL": "smtp://127.0.0.1:2525",
        "RONDO_LOG_FORMAT": "text",
        "RONDO_KAFKA_BOOTSTRAP": "elsewhere:9092",
        "RONDO_HTTP_PORT": "1",
        "RONDO_INSTANCE": "impostor",
    }
    ports = {**dict.fromkeys(port_names(Brokers()), 1), "router": 2001, "router-2": 2002, "history": 2003}
    state = State.fresh().model_copy(update={"ports": ports})
    servers = Servers.of(Layout.under(tmp_path), ports, {}, Brokers())
    surroundings = Surroundings(environ, state, servers)

    env = surroundings.program(Instance("router-2", ROUTER), Layout.under(tmp_path)).env

    assert env["RONDO_SMTP_URL"] == "smtp://127.0.0.1:2525"
    assert env["RONDO_LOG_FORMAT"] == "text"
    assert env["RONDO_KAFKA_BOOTSTRAP"] == "127.0.0.1:1"
    assert env["RONDO_HISTORY_URL"] == "http://127.0.0.1:2003"
    assert env["RONDO_HTTP_PORT"] == "2002"
    assert env["RONDO_INSTANCE"] == "router-2"
