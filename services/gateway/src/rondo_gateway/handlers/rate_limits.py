"""How much callers may ask, as the workspace's ``rate_limits`` say."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from rondo_common.clock import Clock
from rondo_common.directory.entries import WorkspaceEntry, WorkspaceSettings
from rondo_common.directory.sites import RateLimits
from rondo_common.ids import WorkspaceId
from rondo_gateway.domain.principals import Backend, Member, VisitorCaller
from rondo_gateway.domain.refusals import LimitReached
from rondo_gateway.ports import DirectoryView, Quota, RateLimiter

EVERYBODY = "all"
ADDRESS_DIGITS = 16
ADDRESS_SIGN_INS_PER_MINUTE = 120
"""Attempts from one internet address, which a whole office can share."""


class Limits:
    """Counts what is asked. Each raises ``LimitReached``, or returns when it was counted."""

    def __init__(self, directory: DirectoryView, limiter: RateLimiter, clock: Clock) -> None:
        self._directory = directory
        self._limiter = limiter
        self._clock = clock

    async def of_session(self, workspace: WorkspaceEntry, address: str) -> None:
        """A session is begun from an internet address."""
        wanted = {"address_sessions_per_minute": _subject(address), "sessions_per_minute": EVERYBODY}
        await self._take(workspace.id, workspace.settings.rate_limits, wanted)

    async def of_sign_in(self, workspace: WorkspaceEntry, address: str) -> None:
        """Somebody tries to sign in from an internet address. There is no limit for all addresses
        together: by it, a stranger could keep agents out."""
        quota = Quota("address_sign_ins_per_minute", _subject(address), ADDRESS_SIGN_INS_PER_MINUTE)
        await self._take_all(workspace.id, [quota])

    async def of_chat_request(self, member: Member) -> None:
        """A chat is asked for."""
        wanted: dict[str, str]
        match member:
            case VisitorCaller(visitor_id=visitor_id):
                wanted = {
                    "visitor_chat_requests_per_minute": visitor_id,
                    "widget_chat_requests_per_minute": EVERYBODY,
                }
            case Backend():
                wanted = {"backend_chat_requests_per_minute": EVERYBODY}
            case _:
                return
        await self._take(member.workspace_id, self._limits(member.workspace_id), wanted)

    async def of_message(self, member: Member) -> None:
        """A message is posted. An agent may write as much as they can."""
        wanted: dict[str, str]
        match member:
            case VisitorCaller(visitor_id=visitor_id):
                wanted = {"visitor_messages_per_minute": visitor_id}
            case Backend():
                wanted = {"backend_messages_per_minute": EVERYBODY}
            case _:
                return
        await self._take(member.workspace_id, self._limits(member.workspace_id), wanted)

    def _limits(self, workspace_id: WorkspaceId) -> RateLimits:
        found = self._directory.find(workspace_id)
        if found is None or found.workspace is None:
            return WorkspaceSettings().rate_limits
        return found.workspace.settings.rate_limits

    async def _take(self, workspace_id: WorkspaceId, limits: RateLimits, wanted: dict[str, str]) -> None:
        quotas = [
            Quota(limit, subject, per_minute)
            for limit, subject in wanted.items()
            if (per_minute := getattr(limits, limit)) > 0
        ]
        if quotas:
            await self._take_all(workspace_id, quotas)

    async def _take_all(self, workspace_id: WorkspaceId, quotas: Sequence[Quota]) -> None:
        refused = await self._limiter.take(workspace_id, quotas, self._clock())
        if refused is not None:
            quota, wait_ms = refused
            raise LimitReached(quota.limit, max(1, math.ceil(wait_ms / 1000)))


def _subject(address: str) -> str:
    # Long enough to tell addresses apart; which ones they were is nobody's business.
    return hashlib.sha256(address.encode()).hexdigest()[:ADDRESS_DIGITS]
