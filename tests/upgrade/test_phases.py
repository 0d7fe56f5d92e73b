"""The course of the upgrade check: a rollout as a chart does it, with every pairing of versions."""

from __future__ import annotations

from itertools import pairwise, product

from tests.upgrade.phases import INSTANCES_EACH, PHASES, Side, instances, replaced


def test_one_of_each_service_is_replaced_at_a_time_and_the_other_goes_on() -> None:
    services = {each.service.name for each in instances()}
    assert len(instances()) == INSTANCES_EACH * len(services)
    for was, becomes in pairwise(PHASES):
        names = [each.service.name for each in replaced(was, becomes)]
        assert sorted(names) == sorted(services)


def test_every_version_of_a_service_meets_every_version_of_every_other() -> None:
    together = {
        (one.service.name, sides[one.name], other.service.name, sides[other.name])
        for phase in PHASES
        for sides in [phase.sides()]
        for one, other in product(instances(), repeat=2)
    }
    services = {each.service.name for each in instances()}
    assert together == set(product(services, Side, services, Side))


def test_it_goes_on_and_back_and_ends_with_the_version_at_hand() -> None:
    assert set(PHASES[0].sides().values()) == {Side.BEFORE}
    assert set(PHASES[-1].sides().values()) == {Side.AFTER}
    assert any(set(phase.sides().values()) == {Side.BEFORE} for phase in PHASES[1:])
