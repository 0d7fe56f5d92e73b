"""News for agents, and when their next mail may go out, on Redis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis

from rondo_common.clock import milliseconds
from rondo_common.ids import AgentId, EventId, WorkspaceId
from rondo_common.redis.connection import redis_errors
from rondo_common.redis.functions import FunctionCall, FunctionLibrary, read_library
from rondo_notifier.domain.mails import URGENT, News
from rondo_notifier.ports import Addressee

TAG = "rondo:{mail}"
DUE_KEY = f"{TAG}:due"
KEPT_S = 7 * 24 * 60 * 60
KNOWN_MAX = 1000
NEWS_IN_A_MAIL_MAX = 50


class RedisMailBoard:
    """See :class:`rondo_notifier.ports.MailBoard`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        folder = files("rondo_notifier.adapters") / "mail"
        self._functions = FunctionLibrary(redis, read_library("rondo_mail", folder, ["mails"]))

    async def note(self, news: Sequence[News], now: datetime) -> None:
        """See :class:`MailBoard`."""
        if news:
            await self._functions.call_all([_note(each, now) for each in news])

    async def claim(self, now: datetime, lease_s: float, count: int) -> list[tuple[Addressee, list[News]]]:
        """See :class:`MailBoard`."""
        until = milliseconds(now + timedelta(seconds=lease_s))
        call = FunctionCall("rondo_mail_claim", (DUE_KEY,), (milliseconds(now), until, count))
        members: list[str] = await self._functions.call(call)
        claimed = []
        for member in members:
            with redis_errors():
                texts: Any = await self._redis.lrange(_key(member), 0, NEWS_IN_A_MAIL_MAX - 1)
            news = [News.model_validate_json(each, extra="ignore") for each in texts]
            claimed.append((_addressee(member), news))
        return claimed

    async def sent(self, addressee: Addressee, count: int, now: datetime, interval_s: float) -> None:
        """See :class:`MailBoard`."""
        member = "/".join(addressee)
        alone_until = milliseconds(now + timedelta(seconds=interval_s))
        arguments = (member, count, alone_until, math.ceil(interval_s))
        await self._functions.call(FunctionCall("rondo_mail_sent", _keys(member), arguments))

    async def postpone(self, addressee: Addressee, until: datetime) -> None:
        """See :class:`MailBoard`."""
        with redis_errors():
            await self._redis.zadd(DUE_KEY, {"/".join(addressee): milliseconds(until)})

    async def may_mail(
        self, addressee: Addressee, about: EventId, now: datetime, interval_s: float
    ) -> bool:
        """See :class:`MailBoard`."""
        member = "/".join(addressee)
        with redis_errors():
            alone_until = await self._redis.get(f"{_key(member)}:alone")
            if alone_until is not None and int(alone_until) > milliseconds(now):
                return bool(await self._redis.get(f"{_key(member)}:about") == about)
            if interval_s > 0:
                until = milliseconds(now + timedelta(seconds=interval_s))
                seconds = math.ceil(interval_s)
                await self._redis.set(f"{_key(member)}:about", about, ex=seconds)
                await self._redis.set(f"{_key(member)}:alone", until, ex=seconds)
        return True


def _note(news: News, now: datetime) -> FunctionCall:
    member = f"{news.workspace_id}/{news.agent_id}"
    is_urgent = int(news.kind in URGENT)
    return FunctionCall(
        "rondo_mail_note",
        _keys(member),
        (member, news.id, news.model_dump_json(), milliseconds(now), is_urgent, KEPT_S, KNOWN_MAX),
    )


def _keys(member: str) -> tuple[str, ...]:
    key = _key(member)
    return key, f"{key}:known", DUE_KEY, f"{key}:alone"


def _key(member: str) -> str:
    return f"{TAG}:news:{member}"


def _addressee(member: str) -> Addressee:
    workspace_id, _, agent_id = member.partition("/")
    return Addressee(WorkspaceId(workspace_id), AgentId(agent_id))
