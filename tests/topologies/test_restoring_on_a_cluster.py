"""A memory that is brought back on a cluster, as the router's user."""

from __future__ import annotations

from rondo_common.redis.users import ROUTER
from tests.router.test_memory import (  # noqa: F401 - the suite's, of which these touch every key
    rebuild,
    test_a_rating_is_shown_again_after_a_loss,
    test_what_was_being_handed_over_is_accepted_or_returns,
    test_who_waits_keeps_their_place_and_their_end,
    test_who_was_present_is_so_until_they_should_have_said_so_again,
)

USER = ROUTER
