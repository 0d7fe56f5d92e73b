"""Sending to receivers that are slow, broken or hostile, and to addresses that are nobody's business."""

from __future__ import annotations

import gzip
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from rondo_common.ids import EventId
from rondo_common.webhooks import SHOWN_BYTES_MAX, Attempt
from rondo_notifier.adapters.http_webhook_sender import HttpWebhookSender, webhook_session
from tests.notifier.hostile_receiver import (
    Behaviour,
    Receiver,
    answers,
    closes,
    drips_its_body,
    drips_its_head,
    floods,
    hangs,
    lies_about_its_length,
    receiving,
    sends_more_than_it_says,
    talks_nonsense,
)
from tests.notifier.webhook_world import OLDER_SECRET, SECRET, entry

BODY = '{"id":"e-1","text":"Hej 👋"}'
ANSWER_TIMEOUT_S = 0.5
"""Short, so that the tests need not wait for the real one."""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as started:
        yield started


async def send(
    url: str, *, secrets: tuple[str, ...] = (SECRET,), allow_private: bool = True, **session: Any
) -> Attempt:
    async with webhook_session(allow_private=allow_private, **session) as opened:
        sender = HttpWebhookSender(
            opened,
            lambda: datetime.now(UTC),
            allow_private=allow_private,
            answer_timeout_s=ANSWER_TIMEOUT_S,
            body_timeout_s=ANSWER_TIMEOUT_S,
        )
        return await sender.send(entry(url=url), secrets, BODY, EventId("e-1"))


async def behaving(receiver: Receiver, behaviour: Behaviour) -> Attempt:
    receiver.behave["/"] = behaviour
    return await send(receiver.url())


async def test_a_request_is_signed_as_the_standard_says(receiver: Receiver) -> None:
    attempt = await send(receiver.url())
    assert (attempt.status, attempt.error) == (200, None)
    assert attempt.answer is not None
    assert attempt.answer.body == "thanks"
    (received,) = receiver.requests
    assert received.verified(SECRET) == {"id": "e-1", "text": "Hej 👋"}
    assert received.id == "e-1"
    with pytest.raises(WebhookVerificationError):
        received.verified(OLDER_SECRET)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(received.body + " ", received.headers)


async def test_while_a_secret_is_rotated_both_sign(receiver: Receiver) -> None:
    await send(receiver.url(), secrets=(SECRET, OLDER_SECRET))
    (received,) = receiver.requests
    assert received.verified(SECRET) == received.verified(OLDER_SECRET)


async def test_what_is_kept_of_a_request_has_no_signature(receiver: Receiver) -> None:
    attempt = await send(receiver.url())
    assert set(attempt.request_headers) == {
        "content-type",
        "user-agent",
        "webhook-id",
        "webhook-timestamp",
    }


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_2xx_is_a_success(receiver: Receiver, status: int) -> None:
    attempt = await behaving(receiver, answers(status))
    assert (attempt.status, attempt.error) == (status, None)


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
async def test_another_answer_is_a_failure_with_its_status(receiver: Receiver, status: int) -> None:
    attempt = await behaving(receiver, answers(status, b"no"))
    assert (attempt.status, attempt.error) == (status, f"answered {status}")
    assert attempt.answer is not None
    assert attempt.answer.body == "no"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    receiver.behave["/"] = answers(status, b"", f"location: {receiver.url('/elsewhere')}")
    attempt = await send(receiver.url())
    assert attempt.error == f"answered {status}, and redirects are not followed"
    assert [each.path for each in receiver.requests] == ["/"]


@pytest.mark.parametrize("behaviour", [hangs, drips_its_head])
async def test_whoever_does_not_answer_in_time_is_cut_off(receiver: Receiver, behaviour: Behaviour) -> None:
    attempt = await behaving(receiver, behaviour)
    assert (attempt.status, attempt.answer) == (None, None)
    assert attempt.error is not None
    assert attempt.error.startswith(("no answer within", "no proper answer"))


@pytest.mark.parametrize("behaviour", [closes, talks_nonsense])
async def test_whoever_answers_nothing_proper_has_failed(receiver: Receiver, behaviour: Behaviour) -> None:
    attempt = await behaving(receiver, behaviour)
    assert attempt.status is None
    assert attempt.error is not None
    assert attempt.error.startswith("no proper answer")


@pytest.mark.parametrize(
    ("behaviour", "length"),
    [
        (lies_about_its_length, 5),
        (floods, SHOWN_BYTES_MAX),
        (answers(200, b"w" * 10_000), SHOWN_BYTES_MAX),
    ],
)
async def test_a_2xx_counts_whatever_its_body_is_and_the_body_is_cut(
    receiver: Receiver, behaviour: Behaviour, length: int
) -> None:
    attempt = await behaving(receiver, behaviour)
    assert (attempt.status, attempt.error) == (200, None)
    assert attempt.answer is not None
    assert len(attempt.answer.body) == length


async def test_what_comes_after_an_answer_is_never_taken_for_the_next_one(receiver: Receiver) -> None:
    receiver.behave["/"] = sends_more_than_it_says
    async with webhook_session(allow_private=True) as opened:
        sender = HttpWebhookSender(opened, lambda: datetime.now(UTC), allow_private=True)
        first = await sender.send(entry(url=receiver.url()), [SECRET], BODY, EventId("e-1"))
        second = await sender.send(entry(url=receiver.url("/ok")), [SECRET], BODY, EventId("e-2"))
    assert first.error is None or first.error.startswith("no proper answer")
    assert second.answer is not None
    assert second.answer.body == "thanks"
    assert receiver.connections == 2


async def test_a_body_that_drips_is_not_waited_for(receiver: Receiver) -> None:
    attempt = await behaving(receiver, drips_its_body)
    assert (attempt.status, attempt.error) == (200, None)
    assert attempt.answer is not None
    assert 0 < len(attempt.answer.body) < SHOWN_BYTES_MAX


async def test_an_answer_is_not_unfolded(receiver: Receiver) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    attempt = await behaving(receiver, answers(200, bomb, "content-encoding: gzip"))
    assert attempt.answer is not None
    assert len(attempt.answer.body) <= SHOWN_BYTES_MAX


async def test_a_connection_is_used_again_after_a_proper_answer(receiver: Receiver) -> None:
    async with webhook_session(allow_private=True) as opened:
        sender = HttpWebhookSender(opened, lambda: datetime.now(UTC), allow_private=True)
        for number in range(5):
            await sender.send(entry(url=receiver.url()), [SECRET], BODY, EventId(f"e-{number}"))
    assert (len(receiver.requests), receiver.connections) == (5, 1)


async def test_nobody_there_is_a_failure_that_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    attempt = await send(f"http://127.0.0.1:{port}/")
    assert attempt.error is not None
    assert attempt.error.startswith("no connection")


@pytest.mark.parametrize("url", ["ftp://example.com/", "file:///etc/passwd", "http://example.com/"])
async def test_other_schemes_are_not_even_tried(url: str) -> None:
    attempt = await send(url, allow_private=False)
    assert attempt.error == "only https is allowed here"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1"],
)
async def test_a_private_address_is_not_connected_to_however_it_is_written(
    receiver: Receiver, host: str
) -> None:
    attempt = await send(f"https://{host}:{receiver.port}/", allow_private=False)
    assert attempt.error is not None
    assert attempt.status is None
    assert receiver.connections == 0


@dataclass
class MovingName(AbstractResolver):
    """A name server that answers with one address after the other."""

    addresses: list[str]
    asked: int = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self.addresses[min(self.asked, len(self.addresses) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self) -> None:
        pass


async def test_a_name_that_moves_to_a_private_address_is_refused_when_it_connects(
    receiver: Receiver,
) -> None:
    resolver = MovingName(["127.0.0.1"])
    attempt = await send(
        f"https://rebinding.example:{receiver.port}/", allow_private=False, resolver=resolver
    )
    assert resolver.asked == 1
    assert attempt.error == "not allowed: 127.0.0.1 is not a public address"
    assert receiver.connections == 0


async def test_the_same_name_is_reached_where_private_addresses_are_allowed(receiver: Receiver) -> None:
    resolver = MovingName(["127.0.0.1"])
    attempt = await send(f"http://rebinding.example:{receiver.port}/", resolver=resolver)
    assert (attempt.status, resolver.asked) == (200, 1)
