"""Whose turn it is to send: fair between workspaces, and between the endpoints of one.

There are only so many requests under way in a process. An endpoint that is slow holds its own few, a
workspace its own share, and what becomes free goes to the workspace that has waited longest.
"""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict
from dataclasses import dataclass

from rondo_common.ids import WorkspaceId
from rondo_notifier.domain.webhooks import EndpointKey


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """How many requests may be under way at once."""

    endpoint_max: int = 10
    failing_max: int = 2
    """Of an endpoint whose last answer was none: enough to notice that it is well again."""
    workspace_max: int = 400
    process_max: int = 1000
    turn_max: int = 10
    """How many an endpoint may begin in one turn."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An endpoint may begin that many requests. They count as under way from now on."""

    endpoint: EndpointKey
    room: int


class FairTurns:
    """Endpoints that have something to send, now or later, and how many requests each has under way.

    Every endpoint here is sent to by this process only. Times are in ms.
    """

    def __init__(self, limits: TurnLimits | None = None) -> None:
        self._limits = limits or TurnLimits()
        self._due: dict[EndpointKey, int] = {}
        self._later: list[tuple[int, EndpointKey]] = []
        self._ready: OrderedDict[WorkspaceId, OrderedDict[EndpointKey, None]] = OrderedDict()
        self._failing: set[EndpointKey] = set()
        self._under_way: Counter[EndpointKey] = Counter()
        self._of_workspace: Counter[WorkspaceId] = Counter()
        self._total = 0

    def note(self, endpoint: EndpointKey, due_ms: int) -> None:
        """The endpoint has something to send at ``due_ms``, or earlier if that was said before."""
        known = self._due.get(endpoint)
        if known is None or due_ms < known:
            self._due[endpoint] = due_ms
            heapq.heappush(self._later, (due_ms, endpoint))

    def forget(self, endpoint: EndpointKey) -> None:
        """The endpoint has nothing more to send here. What is under way still comes back."""
        self._due.pop(endpoint, None)
        self._failing.discard(endpoint)
        self._unready(endpoint)

    def next_due_ms(self) -> int | None:
        """When the next endpoint that is not ready yet will be; None: none will by itself."""
        while self._later and self._due.get(self._later[0][1]) != self._later[0][0]:
            heapq.heappop(self._later)  # An earlier or later word about it counts.
        return self._later[0][0] if self._later else None

    def take(self, now_ms: int) -> list[Turn]:
        """Every turn that is free now, the workspace that waited longest first.

        Each is to be answered with :meth:`began`. An endpoint or workspace at its limit keeps waiting.
        """
        self._advance(now_ms)
        turns: list[Turn] = []
        at_limit: list[tuple[WorkspaceId, OrderedDict[EndpointKey, None]]] = []
        while self._ready and self._total < self._limits.process_max:
            workspace_id, endpoints = self._ready.popitem(last=False)
            turn = self._turn_of(workspace_id, endpoints)
            if turn is None:
                at_limit.append((workspace_id, endpoints))
                continue
            turns.append(turn)
            if endpoints:
                self._ready[workspace_id] = endpoints  # Behind all others.
        for workspace_id, endpoints in reversed(at_limit):
            self._ready[workspace_id] = endpoints
            self._ready.move_to_end(workspace_id, last=False)
        return turns

    def began(self, turn: Turn, count: int, next_due_ms: int | None) -> None:
        """``count`` requests of the turn were begun; the next is due at ``next_due_ms``, if any."""
        self._count(turn.endpoint, count - turn.room)
        if next_due_ms is not None:
            self.note(turn.endpoint, next_due_ms)

    def ended(self, endpoint: EndpointKey, *, is_success: bool) -> None:
        """One request is no longer under way."""
        self._count(endpoint, -1)
        if is_success:
            self._failing.discard(endpoint)
        else:
            self._failing.add(endpoint)

    def under_way(self, endpoint: EndpointKey) -> int:
        """How many requests of the endpoint are under way."""
        return self._under_way[endpoint]

    @property
    def total_under_way(self) -> int:
        """How many requests of all are."""
        return self._total

    def _turn_of(self, workspace_id: WorkspaceId, endpoints: OrderedDict[EndpointKey, None]) -> Turn | None:
        """The turn of the endpoint that waited longest and has room; it leaves ``endpoints``."""
        free = min(
            self._limits.turn_max,
            self._limits.process_max - self._total,
            self._limits.workspace_max - self._of_workspace[workspace_id],
        )
        if free <= 0:
            return None
        for endpoint in endpoints:
            room = min(free, self._limit_of(endpoint) - self._under_way[endpoint])
            if room > 0:
                del endpoints[endpoint]
                del self._due[endpoint]
                self._count(endpoint, room)
                return Turn(endpoint, room)
        return None

    def _limit_of(self, endpoint: EndpointKey) -> int:
        return self._limits.failing_max if endpoint in self._failing else self._limits.endpoint_max

    def _advance(self, now_ms: int) -> None:
        """Let those whose time has come be ready."""
        while (due_ms := self.next_due_ms()) is not None and due_ms <= now_ms:
            _, endpoint = heapq.heappop(self._later)
            self._ready.setdefault(endpoint.workspace_id, OrderedDict()).setdefault(endpoint)

    def _unready(self, endpoint: EndpointKey) -> None:
        endpoints = self._ready.get(endpoint.workspace_id)
        if endpoints is not None:
            endpoints.pop(endpoint, None)
            if not endpoints:
                del self._ready[endpoint.workspace_id]

    def _count(self, endpoint: EndpointKey, change: int) -> None:
        self._under_way[endpoint] += change
        self._of_workspace[endpoint.workspace_id] += change
        self._total += change
        if not self._under_way[endpoint]:
            del self._under_way[endpoint]
        if not self._of_workspace[endpoint.workspace_id]:
            del self._of_workspace[endpoint.workspace_id]
