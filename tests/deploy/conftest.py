"""The chart, rendered once a value set."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from tests.deploy.helm_process import render
from tests.deploy.value_sets import NAMES, Resource, value_set

DEADLINE_S = 120


@pytest.fixture(scope="session")
def in_helm() -> Iterator[Callable[..., Any]]:
    """Call one of ``helm_process``'s functions in the process where Helm is."""
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawned) as pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result(DEADLINE_S)


@pytest.fixture(scope="session")
def rendered(in_helm: Callable[..., Any]) -> dict[str, list[Resource]]:
    """The resources of every value set, by its name."""
    return {name: in_helm(render, value_set(name)) for name in NAMES}


@pytest.fixture(params=NAMES)
def resources(request: pytest.FixtureRequest, rendered: dict[str, list[Resource]]) -> list[Resource]:
    """The resources of each value set in turn."""
    return rendered[request.param]
