"""Secrets, and what people write, go through a whole stack, and through all that can be refused; then every
place that operators and their tools read is searched for each of them."""

from __future__ import annotations

import asyncio
import json
import os
import secrets as chance
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import jwt
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from rondo_common.consumer_groups import CONSUMER_GROUPS
from rondo_common.envelope import Envelope
from rondo_common.events import Event
from rondo_common.ids import WorkspaceId
from rondo_common.kafka.connection import KafkaConnection, make_producer
from rondo_common.kafka.publisher import KafkaPublisher, Outgoing, outgoing
from rondo_common.topics import CONVERSATIONS, DEAD_LETTERS
from rondo_local import state
from rondo_local.servers import SERVER_NAMES
from tests.e2e.client import Caller, Json, Workspace, eventually, new_workspace
from tests.e2e.conftest import REQUEST_TIMEOUT_S, RunningStack
from tests.e2e.leaks import leaks
from tests.history.conversations import Conversation
from tests.notifier.hostile_receiver import receiving
from tests.notifier.push_service import PushService

DEADLINE_S = 60
LIVE_METRICS = "rondo.live-metrics"
SHOWN_LENGTH = 20
"""So much of the end of a secret is looked for, too."""


def fresh(what: str) -> str:
    """Something that stands nowhere else, and says what it is; as long as a token secret must be."""
    return f"{what}-{chance.token_hex(20)}"


@dataclass
class Exposed:
    """What was sent and shown, by what it is; and every answer that was a refusal."""

    secrets: dict[str, str] = field(default_factory=dict)
    refusals: list[bytes] = field(default_factory=list)

    def new(self, what: str) -> str:
        """A secret that is made up here. Its beginning is one, too: what is cut is told nonetheless."""
        made = fresh(what.replace(" ", "-"))
        self.secrets[f"beginning of {what}"] = made[:-SHOWN_LENGTH]
        return self.keep(what, made)

    def keep(self, what: str, secret: str) -> str:
        """A secret that Rondo gave out."""
        self.secrets[what] = secret
        self.secrets[f"end of {what}"] = secret[-SHOWN_LENGTH:]
        return secret


@pytest.fixture
def exposed(running: RunningStack) -> Exposed:
    """The secrets that the stack was started with."""
    known = state.load(running.stack.layout.state_file)
    assert known is not None
    found = Exposed()
    found.keep("root key", known.root_key)
    found.keep("token secret", known.token_secret)
    found.keep("VAPID key", known.vapid_private_key)
    found.keep("demo API key", running.env["RONDO_API_KEY"])
    found.keep("OIDC client secret", running.stack.environ["RONDO_OIDC_CLIENT_SECRET"])
    found.keep("SMTP password", urlsplit(running.stack.environ["RONDO_SMTP_URL"]).password or "")
    return found


@asynccontextmanager
async def traced_callers(running: RunningStack, exposed: Exposed) -> AsyncIterator[Caller]:
    """The operator, whose every request is traced, and whose refusals are kept."""

    async def note(response: httpx.Response) -> None:
        if response.is_error:
            exposed.refusals.append(f"{response.headers}".encode() + await response.aread())

    async with httpx.AsyncClient(
        base_url=running.env["RONDO_URL"],
        timeout=REQUEST_TIMEOUT_S,
        trust_env=False,
        event_hooks={"response": [note]},
        headers={"traceparent": f"00-{chance.token_hex(16)}-{chance.token_hex(8)}-01"},
    ) as http:
        yield Caller(http, {"Authorization": f"Bearer {running.env['RONDO_ROOT_KEY']}"})


async def _credentials(workspace: Workspace, exposed: Exposed) -> None:
    """Everything that gives somebody a right, made and used."""
    exposed.keep("API key", workspace.headers["Authorization"].split()[1])
    more = exposed.keep("another API key", (await workspace.post("/v1/api_keys"))["api_key"])
    await workspace.bearer(more).get("/v1/workspace")
    link = await workspace.post("/v1/agents/grace/sign_in_links")
    token = exposed.keep("sign-in link", urlsplit(link["url"]).fragment.removeprefix("token="))
    page = {"Origin": f"{workspace.http.base_url}".rstrip("/")}
    browser = Caller(workspace.http, page)
    begun = await browser.call("POST", "/v1/sessions", {"token": token})
    assert begun.status_code == 201, begun.text
    for name, cookie in begun.cookies.items():
        exposed.keep(f"cookie {name}", cookie)
    exposed.keep("CSRF token", begun.json()["csrf_token"])
    await browser.get("/v1/session")
    workspace.http.cookies.clear()
    identity = await workspace.post("/v1/workspace/identity_secret")
    exposed.keep("identity secret", identity["identity_secret"])
    keys = PushService().keys
    exposed.keep("push key", keys["p256dh"])
    exposed.keep("push authentication", keys["auth"])
    endpoint = f"http://127.0.0.1:9/{exposed.new('push endpoint')}"
    agent = await workspace.agent("grace")
    exposed.keep("agent token", agent.headers["Authorization"].split()[1])
    await agent.post("/v1/agents/me/push_subscriptions", {"endpoint": endpoint, "keys": keys})


async def _visitor(workspace: Workspace, exposed: Exposed) -> None:
    """A known visitor of the widget."""
    site = (await workspace.get("/v1/workspace"))["site_key"]
    widget = Caller(workspace.http, {"Origin": "https://shop.example"})
    claims = {
        "sub": exposed.new("visitor id"),
        "exp": datetime.now(UTC) + timedelta(hours=1),
        "email": f"{exposed.new('known email')}@example.org",
    }
    signed = jwt.encode(claims, exposed.secrets["identity secret"], "HS256")
    exposed.keep("signed identity", signed)
    body = {"site_key": site, "identity": signed}
    answer = await widget.call("POST", "/v1/visitor_sessions", body)
    assert answer.status_code == 201, answer.text
    exposed.keep("visitor's session", answer.json()["visitor_token"])
    forged = jwt.encode(claims, exposed.new("forger's secret"), "HS256")
    body = {"site_key": site, "identity": exposed.keep("forged identity", forged)}
    answer = await widget.call("POST", "/v1/visitor_sessions", body)
    assert answer.is_client_error, answer.text


async def _chat(workspace: Workspace, exposed: Exposed) -> str:
    """A chat whose every word is somebody's own; its id."""
    asked = await workspace.ask(
        to="grace",
        visitor={
            "first_name": exposed.new("first name"),
            "email": f"{exposed.new('email')}@example.org",
            "company": exposed.new("company"),
            "attributes": {"plan": exposed.new("attribute")},
        },
        page={"url": f"https://example.com/?q={exposed.new('page')}"},
        answers={"topic": exposed.new("answer")},
    )
    visitor = workspace.bearer(exposed.keep("visitor token", asked["visitor_token"]))
    path = f"/v1/conversations/{asked['id']}"
    await workspace.until(asked["id"], "offered")
    agent = await workspace.agent("grace")
    await agent.post(f"{path}/accept")
    await agent.post(f"{path}/messages", {"client_message_id": "1", "text": exposed.new("agent's text")})
    said = exposed.new("visitor's text")
    await visitor.post(f"{path}/messages", {"client_message_id": "1", "text": said})
    await visitor.get(f"{path}?access_token={exposed.secrets['visitor token']}")
    await visitor.post(f"{path}/end")
    await visitor.post(f"{path}/rating", {"score": 1, "comment": exposed.new("rating")})
    await workspace.transcript(asked["id"], messages=2)
    await workspace.get(f"/v1/conversations?q={said}")
    return str(asked["id"])


async def _refused(workspace: Workspace, exposed: Exposed) -> None:
    """Whatever callers get wrong, with something in it that should not be told."""
    nobody, path = Caller(workspace.http, {}), "/v1/conversations"
    for headers, query in (
        ({"Authorization": f"Bearer {exposed.new('wrong token')}"}, ""),
        ({"Authorization": f"Basic {exposed.new('wrong scheme')}"}, ""),
        ({}, f"?access_token={exposed.new('wrong token in query')}"),
        ({"Cookie": f"rondo_session={exposed.new('wrong cookie')}"}, ""),
        ({"Origin": f"https://{exposed.new('origin')}.example"}, ""),
    ):
        answer = await nobody.call("GET", f"{path}{query}", headers=headers)
        assert answer.status_code in {401, 403}, answer.text
    for body in (
        {"visitor": {"email": exposed.new("no email")}},
        {"visitor": {"first_name": [exposed.new("no name")]}},
        {"route": {"type": exposed.new("no route")}},
        {"no_such_field": exposed.new("value of no field")},
    ):
        assert (await workspace.call("POST", path, body)).status_code == 422
    unreadable = f'{{"visitor": "{exposed.new("unreadable body")}'
    answer = await workspace.http.post(path, content=unreadable, headers=workspace.headers)
    assert answer.is_client_error, answer.text
    for address in ("http://10.0.0.1/", "ftp://example.com/"):
        url = f"{address}{exposed.new(f'address {address[:4]}')}"
        hook = {"url": url, "event_types": [exposed.new("type")]}
        assert (await workspace.call("PUT", "/v1/webhooks/wrong", hook)).is_client_error
    assert (await nobody.call("POST", "/v1/sessions", {"token": exposed.new("wrong link")})).is_client_error


async def _deliveries(workspace: Workspace, exposed: Exposed) -> None:
    """A webhook that is delivered, and one whose receiver says no with something of its own."""

    async def refuse(_received: Any, writer: asyncio.StreamWriter) -> None:
        said = exposed.new("receiver's answer").encode()
        writer.write(b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))

    async with receiving() as receiver:
        way = f"/{exposed.new('webhook path')}"
        receiver.behave[way] = refuse
        for name, url in (("good", "/good"), ("bad", way)):
            body = {"url": receiver.url(url), "event_types": ["message.posted"]}
            secret = (await workspace.put(f"/v1/webhooks/{name}", body))["secret"]
            exposed.keep(f"webhook secret {name}", secret)
            await workspace.post(f"/v1/webhooks/{name}/test")
        await receiver.until(lambda: bool(receiver.at("/good") and receiver.at(way)), DEADLINE_S)


async def _broken_records(running: RunningStack, workspace: Workspace, exposed: Exposed) -> None:
    """Records that nobody can handle, each for another reason; returns when they are put aside."""
    chat = Conversation("cnv_broken", WorkspaceId(workspace.id))
    kafka = KafkaConnection(running.env["RONDO_KAFKA_BOOTSTRAP"], client_id="secrets")

    def record(text: str) -> Outgoing:
        return outgoing(cast("Envelope[Event]", chat.envelope(chat.said(text).event)), chat.id)

    cut, wrong = record(exposed.new("cut record")), record(exposed.new("wrong record"))
    nul = record(exposed.new("record with U+0000"))
    whole = json.loads(wrong.value or b"")
    whole["message"]["sent_at"] = whole["message"]["text"]
    whole["message"]["text"] = [whole["message"]["text"]]
    records = [
        replace(cut, value=(cut.value or b"")[:-2]),
        replace(wrong, value=json.dumps(whole).encode()),
        replace(nul, value=(nul.value or b"").replace(b'"text":"', b'"text":"\\u0000')),
    ]
    publisher = KafkaPublisher(
        lambda: make_producer(kafka, request_timeout_ms=5_000), deadline_s=float(DEADLINE_S)
    )
    await publisher.publish(records)
    await publisher.stop()
    readers = {each.name for each in CONSUMER_GROUPS if CONVERSATIONS in each.topics} - {LIVE_METRICS}

    async def put_aside() -> Json | None:
        by = [reader for reader, _ in await _dead_letters(running, workspace)]
        # What holds U+0000, only the history cannot take.
        wanted = {reader: len(records) - (reader != "rondo.history") for reader in readers}
        return {} if all(by.count(reader) >= number for reader, number in wanted.items()) else None

    await eventually(put_aside, "every reader to put aside what it cannot read")


async def _dead_letters(running: RunningStack, workspace: Workspace) -> list[tuple[str, bytes]]:
    """Who put records of the workspace aside, and all that is said of each but the record itself."""
    bootstrap = running.env["RONDO_KAFKA_BOOTSTRAP"]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    found = []
    try:
        partition = TopicPartition(DEAD_LETTERS.name, 0)
        consumer.assign([partition])
        (end,) = (await consumer.end_offsets([partition])).values()
        await consumer.seek_to_beginning(partition)
        while await consumer.position(partition) < end:
            for each in (await consumer.getmany(partition, timeout_ms=1000)).get(partition, []):
                headers = dict(each.headers)
                if headers["ce_rondoworkspace"].decode() == workspace.id:
                    found.append((headers["rondo_reader"].decode(), f"{headers}".encode()))
    finally:
        await consumer.stop()
    return found


async def _doctor(running: RunningStack, exposed: Exposed) -> bytes:
    """All that ``rondo doctor`` says of servers that let nobody in."""
    password, address = exposed.new("wrong password"), "127.0.0.1:9"
    env = {
        "RONDO_POSTGRES_DSN": f"postgresql://rondo:{password}@{address}/rondo",
        "RONDO_REDIS_URL": f"redis://rondo:{password}@{address}/0",
        "RONDO_SMTP_URL": f"smtp://rondo:{password}@{address}",
    }
    run = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "rondo_command", "doctor"),
        env={**os.environ, **running.env, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await run.communicate()
    assert run.returncode == 1
    return said


async def _metrics(running: RunningStack) -> dict[str, bytes]:
    """What each process tells Prometheus."""
    known = state.load(running.stack.layout.state_file)
    assert known is not None
    found = {}
    async with httpx.AsyncClient(trust_env=False, timeout=REQUEST_TIMEOUT_S) as http:
        for name, port in known.ports.items():
            if not name.startswith(SERVER_NAMES):
                answer = await http.get(f"http://127.0.0.1:{port}/metrics")
                found[f"metrics of {name}"] = answer.content
    return found


def _arguments(running: RunningStack) -> dict[str, bytes]:
    """The command line of each process of the stack, as everybody on the machine may read it."""
    names = [file.stem for file in running.stack.layout.run.glob("*.pid")]
    return {
        f"arguments of {name}": Path(f"/proc/{running.pid(name)}/cmdline").read_bytes() for name in names
    }


def _logs(running: RunningStack) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in running.stack.layout.logs.glob("*.log")}


async def _everywhere(
    running: RunningStack, workspace: Workspace, exposed: Exposed, chat: str
) -> dict[str, bytes]:
    """All that operators and their tools see; each place is one that has something in it."""
    traces = b"".join(running.traces.raw)
    letters = b"".join(said for _, said in await _dead_letters(running, workspace))
    places = {
        **_logs(running),
        **_arguments(running),
        **await _metrics(running),
        "traces": traces,
        "refusals": b"".join(exposed.refusals),
        "dead letters": letters,
        "doctor": await _doctor(running, exposed),
    }
    assert b"-m\x00rondo_gateway" in places["arguments of gateway"]
    assert (
        b"rondo_requests" in places["metrics of gateway-internal"]
        or b"# HELP" in places["metrics of router"]
    )
    assert chat.encode() in traces
    assert b"urn:rondo" in places["refusals"]
    assert b"rondo_reason" in letters
    assert b"RONDO_POSTGRES_DSN" in places["doctor"]
    assert b"record_rejected" in places["history.log"]
    return places


async def test_no_secret_is_told_to_operators_and_nothing_that_people_wrote(
    running: RunningStack, exposed: Exposed
) -> None:
    async with traced_callers(running, exposed) as root:
        workspace = await new_workspace(root, allowed_origins=["https://shop.example"])
        body = {"name": exposed.new("agent's name"), "email": f"{exposed.new('work email')}@example.com"}
        await workspace.put("/v1/agents/grace", body)
        await _credentials(workspace, exposed)
        await _visitor(workspace, exposed)
        chat = await _chat(workspace, exposed)
        await _refused(workspace, exposed)
        await _deliveries(workspace, exposed)
        await _broken_records(running, workspace, exposed)

        async def traced() -> Json | None:
            return {} if chat.encode() in b"".join(running.traces.raw) else None

        await eventually(traced, "the chat in the traces")
        places = await _everywhere(running, workspace, exposed, chat)
    assert leaks(exposed.secrets, places) == []


def test_a_secret_is_found_however_it_is_written() -> None:
    secret = 'pa/ss"w+rd å'
    for written in (b'pa/ss"w+rd \xc3\xa5', b"pa%2Fss%22w%2Brd%20%C3%A5", b'{"a": "PA/SS\\"W+RD \\u00e5"}'):
        assert leaks({"it": secret}, {"log": b"what " + written + b" else"}) == ["it in log"]
    assert leaks({"it": secret}, {"log": b"pa/ss w+rd"}) == []
