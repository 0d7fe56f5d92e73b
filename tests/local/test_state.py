from __future__ import annotations

import stat
from pathlib import Path

import pytest

from rondo_local.failures import CannotRun, PortMoved, StateUnreadable
from rondo_local.state import State, load, save


def test_the_state_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    state = State.fresh().model_copy(update={"ports": {"kafka": 9092}, "demo_api_key": "rk_1"})

    save(State.fresh(), tmp_path / "state.json")
    save(state, tmp_path / "state.json")

    assert load(tmp_path / "state.json") == state


def test_only_its_owner_can_read_the_state(tmp_path: Path) -> None:
    save(State.fresh(), tmp_path / "state.json")

    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600


def test_no_state_is_no_failure_but_a_damaged_one_says_how_to_start_afresh(tmp_path: Path) -> None:
    assert load(tmp_path / "state.json") is None

    (tmp_path / "state.json").write_text("{")
    with pytest.raises(StateUnreadable, match="make clean"):
        load(tmp_path / "state.json")


def test_fresh_secrets_differ_and_are_not_shown() -> None:
    one, other = State.fresh(), State.fresh()

    assert len({one.root_key, one.token_secret, other.root_key, other.token_secret}) == 4
    assert one.root_key not in repr(one)


def test_secrets_of_the_caller_are_taken_while_nothing_runs() -> None:
    taken = State.fresh().with_secrets_of({"RONDO_ROOT_KEY": "mine"}, anything_runs=False)

    assert taken.root_key == "mine"


def test_secrets_do_not_change_under_a_running_stack() -> None:
    state = State.fresh()

    assert state.with_secrets_of({"RONDO_ROOT_KEY": state.root_key}, anything_runs=True) == state
    with pytest.raises(PortMoved, match=r"RONDO_ROOT_KEY .*make down"):
        state.with_secrets_of({"RONDO_ROOT_KEY": "other"}, anything_runs=True)


def test_a_stack_stays_as_secure_as_it_was_unless_told_otherwise() -> None:
    plain = State.fresh()
    secure = plain.as_secure_as({"SECURE": "1"}, anything_runs=False)

    assert not plain.as_secure_as({}, anything_runs=False).secure
    assert secure.secure
    assert secure.as_secure_as({}, anything_runs=True).secure
    assert secure.as_secure_as({"SECURE": "1"}, anything_runs=True).secure
    assert not secure.as_secure_as({"SECURE": "0"}, anything_runs=False).secure


def test_security_does_not_change_under_a_running_stack() -> None:
    with pytest.raises(PortMoved, match="make down"):
        State.fresh().as_secure_as({"SECURE": "1"}, anything_runs=True)
    with pytest.raises(CannotRun, match="set 1 or 0"):
        State.fresh().as_secure_as({"SECURE": "yes"}, anything_runs=False)
