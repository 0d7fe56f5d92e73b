"""A push service and a browser in one: takes pushes as RFC 8030 says, and decrypts them."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import http_ece
import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rondo_common.directory.entries import PushSubscriptionEntry
from rondo_common.ids import AgentId, PushSubscriptionId

DEADLINE_S = 60.0


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass(frozen=True)
class Received:
    """One push that was decrypted."""

    path: str
    payload: dict[str, Any]
    headers: dict[str, str]
    audience: str


@dataclass
class PushService:
    """Keeps what came. ``statuses`` are answered one after the other, then 201 for ever."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    tries: int = 0

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)

    @property
    def keys(self) -> dict[str, str]:
        """What the browser gives out."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"p256dh": encoded(point), "auth": encoded(self._auth)}

    def subscription(self, agent_id: AgentId, name: str = "1") -> PushSubscriptionEntry:
        """A browser of an agent."""
        return PushSubscriptionEntry(
            id=PushSubscriptionId(f"psh_{name}"),
            agent_id=agent_id,
            endpoint=f"{self.url}/{name}",
            created_at=datetime.now(UTC),
            **self.keys,
        )

    async def take(self, request: web.Request) -> web.Response:
        """One push."""
        self.tries += 1
        body = await request.read()
        status = self.statuses.pop(0) if self.statuses else 201
        if status != 201:
            return web.Response(status=status, headers={"Location": "http://169.254.169.254/"})
        text = http_ece.decrypt(body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
        token = request.headers["Authorization"].removeprefix("vapid t=").partition(",")[0]
        claims = jwt.decode(token, options={"verify_signature": False})
        self.received.append(
            Received(
                request.path,
                json.loads(text),
                {name.lower(): value for name, value in request.headers.items()},
                claims["aud"],
            )
        )
        return web.Response(status=201)

    async def wait_for(self, count: int) -> list[Received]:
        """What was received, once there is that much."""
        async with asyncio.timeout(DEADLINE_S):
            while len(self.received) < count:
                await asyncio.sleep(0.02)
        return self.received


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    """A push service on loopback."""
    service = PushService()
    app = web.Application()
    app.router.add_post("/{name}", service.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()
