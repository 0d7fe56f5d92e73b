"""Settings by merge patch, pages by id, representations by preference."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rondo_common.directory.entries import OfferAttempts, WorkspaceSettings
from rondo_gateway.domain.paging import page_of
from rondo_gateway.domain.refusals import Invalid
from rondo_gateway.domain.workspace_settings import patched_settings
from rondo_gateway.entrypoints.negotiation import prefers_text

DEFAULTS = WorkspaceSettings()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_a_patch_changes_what_it_names_and_nothing_else() -> None:
    changed = patched_settings(DEFAULTS, {"offer_timeout_s": 2, "offer_attempts": {"agent": 3}})
    attempts = OfferAttempts(round_robin=1, agent=3)
    assert changed == DEFAULTS.model_copy(update={"offer_timeout_s": 2, "offer_attempts": attempts})


def test_null_puts_a_setting_back_to_its_default() -> None:
    changed = patched_settings(DEFAULTS, {"offer_timeout_s": 2, "fallback": {"offer_meeting": True}})
    assert patched_settings(changed, {"offer_timeout_s": None, "fallback": None}) == DEFAULTS
    partly = patched_settings(changed, {"fallback": {"offer_meeting": None}})
    assert partly == DEFAULTS.model_copy(update={"offer_timeout_s": 2})


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"surprise": 1}, "/surprise"),
        ({"surprise": None}, "/surprise"),
        ({"fallback": {"surprise": 1}}, "/fallback/surprise"),
        ({"fallback": "nobody"}, "/fallback"),
        ({"fallback": {"message": "a\x00b"}}, "/fallback/message"),
        ({"fallback": {"message": ""}}, "/fallback/message"),
        ({"offer_timeout_s": 0}, "/offer_timeout_s"),
        ({"offer_timeout_s": "2"}, "/offer_timeout_s"),
        ({"offer_timeout_s": 2.5}, "/offer_timeout_s"),
        ({"offer_timeout_s": True}, "/offer_timeout_s"),
        ({"offer_timeout_s": {"a": 1}}, "/offer_timeout_s"),
        ({"offer_attempts": {"team": 0}}, "/offer_attempts/team"),
        ({"blocked_email_domains": ["ok.com", "http://x.com"]}, "/blocked_email_domains/1"),
    ],
)
def test_a_setting_that_cannot_be_is_named(patch: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        patched_settings(DEFAULTS, patch)
    assert caught.value.pointer == pointer


@given(st.dictionaries(st.sampled_from(list(WorkspaceSettings.model_fields)) | st.text(), json_values))
def test_any_patch_is_taken_or_refused(patch: dict[str, Any]) -> None:
    with contextlib.suppress(Invalid):
        patched_settings(DEFAULTS, patch)


def test_a_patch_nested_beyond_reason_is_refused() -> None:
    patch: Any = {}
    for _ in range(5_000):
        patch = {"fallback": patch}
    with pytest.raises(Invalid):
        patched_settings(DEFAULTS, patch)


@given(st.sets(st.text(min_size=1)), st.integers(1, 5))
def test_pages_give_everything_once_and_in_order(ids: set[str], limit: int) -> None:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page, cursor = page_of(ids, str, limit, cursor)
        found += page
        assert len(page) <= limit
        if cursor is None:
            break
    assert found == sorted(ids)


@pytest.mark.parametrize(
    ("accept", "is_text"),
    [
        ("*/*", False),
        ("", False),
        ("application/json", False),
        ("text/plain", True),
        ("text/*", True),
        ("text/plain, application/json", False),
        ("text/plain, application/json;q=0.5", True),
        ("text/plain;q=0.5, application/json", False),
        ("text/html, */*;q=0.1", False),
        ("TEXT/PLAIN; charset=utf-8", True),
        ("text/plain;q=x", True),
        (";;;q=,", False),
    ],
)
def test_text_is_sent_to_those_who_prefer_it(accept: str, *, is_text: bool) -> None:
    assert prefers_text(accept) is is_text
