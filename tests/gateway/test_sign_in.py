"""The rules of signing in: which places are the inbox's, and which texts are secrets."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rondo_common.ids import AgentId, WorkspaceId
from rondo_gateway.domain.sign_in import (
    KnownAgent,
    SessionSecret,
    SessionTimes,
    TicketSecret,
    is_inside_inbox,
    known_agent,
    session_secret,
    ticket_secret,
)
from tests.gateway.fake_world import ACME, GRACE, NOON, FakeWorld

SECRET = "s" * 43
HERE = "https://chat.example"
PIECES = st.sampled_from(
    [
        "/",
        "//",
        "\\",
        "..",
        ".",
        "%2e",
        "%2E%2e",
        "%2f",
        "%5c",
        "inbox",
        "/inbox/",
        "@",
        ":",
        "?",
        "#",
        "a",
        "\t",
        "\n",
        " ",
        "evil.example",
        "https:",
        "%00",
        "%",
    ]
)


def as_a_browser_reads(place: str) -> str:
    """Where a browser goes: it takes a backslash for a slash, and leaves tabs and line ends out."""
    path = place.strip("".join(map(chr, range(33)))).translate({9: None, 10: None, 13: None})
    before, mark, after = path.partition("?")
    dotted = before.replace("\\", "/").replace("%2e", ".").replace("%2E", ".")
    return urljoin(f"{HERE}/v1/oidc/callback", dotted + mark + after)


@given(st.lists(PIECES, max_size=8).map("".join))
@example("/inbox/conversations/cnv_1?tab=a//b#c")
@example("//evil.example/inbox/")
@example("/inbox/../v1/session")
def test_what_is_inside_the_inbox_leads_a_browser_nowhere_else(place: str) -> None:
    if is_inside_inbox(place):
        reached = urlsplit(as_a_browser_reads(place))
        assert (reached.scheme, reached.netloc) == ("https", "chat.example")
        assert reached.path.startswith("/inbox/")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("/inbox/", True),
        ("/inbox/conversations/cnv_1", True),
        ("/inbox/all?q=a%20b&from=https://shop.example//x#top", True),
        ("/inbox/visitors/ada@example.com", True),
        ("/inbox", False),
        ("/inboxes/", False),
        ("inbox/", False),
        ("/v1/session", False),
        ("/inbox/%2e%2e/v1/session", False),
        ("/inbox/./x", False),
        ("/inbox//x", False),
        ("/inbox/a%5c..", False),
        ("/inbox/å", False),
        ("/inbox/" + "a" * 2_000, False),
    ],
)
def test_places_of_the_inbox(place: str, expected: bool) -> None:
    assert is_inside_inbox(place) is expected


def test_a_secret_is_read_as_it_was_written() -> None:
    session = SessionSecret(ACME, GRACE, SECRET)
    ticket = TicketSecret(ACME, SECRET)
    assert session_secret(str(session)) == session
    assert ticket_secret(str(ticket)) == ticket
    assert session_secret(str(ticket)) is None
    assert ticket_secret(str(session)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "acme",
        f"acme..{SECRET}",
        f".grace.{SECRET}",
        "acme.grace.short",
        f"a b.grace.{SECRET}",
        f"acme.grace.{SECRET}\n",
        f"acme.grace.{SECRET}.more",
        f"{'a' * 65}.grace.{SECRET}",
        "x" * 1_000,
    ],
)
def test_what_is_no_secret_is_none(text: str) -> None:
    assert session_secret(text) is None
    assert ticket_secret(text) is None


def test_the_csrf_token_is_the_sessions_own_and_tells_nothing_of_it() -> None:
    one, other = SessionSecret(ACME, GRACE, SECRET), SessionSecret(ACME, GRACE, SECRET[:-1] + "t")
    assert one.csrf_token == SessionSecret(ACME, GRACE, SECRET).csrf_token
    assert one.csrf_token != other.csrf_token
    assert one.csrf_token not in {one.secret, one.sha256}


async def test_an_agent_is_known_by_more_than_their_id(world: FakeWorld) -> None:
    found = world.directory.find(ACME)
    assert found is not None
    agent = found.agents[GRACE].entry
    known = known_agent(found, agent)
    assert known.entry_in(found) == agent
    for other in (
        KnownAgent(
            agent_id=AgentId("nobody"), place=known.place, workspace_since_ms=known.workspace_since_ms
        ),
        known.model_copy(update={"place": known.place + 1}),
        known.model_copy(update={"workspace_since_ms": known.workspace_since_ms + 1}),
    ):
        assert other.entry_in(found) is None
    assert known.entry_in(world.directory.find(WorkspaceId("initech"))) is None


def test_a_session_expires_at_the_nearer_of_its_ends() -> None:
    times = SessionTimes(idle_s=60, max_s=100)
    session = times.begin(KnownAgent(agent_id=GRACE, place=1, workspace_since_ms=1), NOON)
    assert times.expires_at(session.ends_at, NOON) == NOON + timedelta(seconds=60)
    assert times.expires_at(session.ends_at, NOON + timedelta(seconds=50)) == NOON + timedelta(seconds=100)
