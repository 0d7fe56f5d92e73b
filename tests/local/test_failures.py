from __future__ import annotations

import errno
import os

import pytest

from rondo_local.failures import CannotRun, DiskFull, LocalFailure, explained
from rondo_local.layout import FREE_MIB_MIN, Layout, require_room
from rondo_local.ordinary_user import NOBODY, ordinary_user


def os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number), "/some/file")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EACCES, CannotRun),
        (errno.EROFS, CannotRun),
        (errno.EIO, CannotRun),
    ],
)
def test_a_system_error_becomes_one_line_that_names_the_file(number: int, kind: type[LocalFailure]) -> None:
    failure = explained(os_error(number))

    assert type(failure) is kind
    assert "/some/file" in str(failure)
    assert "\n" not in str(failure)


def test_too_little_room_is_refused_before_anything_is_written() -> None:
    layout = Layout.of_checkout()

    require_room(layout.root, FREE_MIB_MIN * 2**20)
    with pytest.raises(DiskFull, match="RONDO_LOCAL_DIR"):
        require_room(layout.root, FREE_MIB_MIN * 2**20 - 1)


def test_an_ordinary_user_needs_no_disguise() -> None:
    assert ordinary_user(1000, lambda _: False).prefix == ()


def test_root_takes_a_user_namespace_or_else_becomes_nobody() -> None:
    namespaced = ordinary_user(0, lambda _: True)
    nobody = ordinary_user(0, lambda argv: argv[0] == "setpriv")

    assert (namespaced.prefix[0], namespaced.owner) == ("unshare", None)
    assert (nobody.prefix[0], nobody.owner) == ("setpriv", NOBODY)


def test_root_without_either_is_told_to_be_an_ordinary_user() -> None:
    with pytest.raises(CannotRun, match="ordinary user"):
        ordinary_user(0, lambda _: False)
