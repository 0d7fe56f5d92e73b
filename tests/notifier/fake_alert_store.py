"""Alerts in memory, for tests that want no server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from rondo_common.errors import Fenced
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_notifier.adapters.redis_alerts import partition_of_alert
from rondo_notifier.domain.alerts import Alert
from rondo_notifier.ports import AlertName


class FakeAlertStore:
    """A :class:`rondo_notifier.ports.AlertStore` without a server."""

    def __init__(self) -> None:
        self.lose()

    def lose(self) -> None:
        """Forget everything, as a wiped Redis does."""
        self.kept: dict[AlertName, Alert] = {}
        self._latest: dict[tuple[WorkspaceId, ConversationId], AlertName] = {}
        self._dues: dict[AlertName, tuple[int, datetime]] = {}
        self._known: set[int] = set()

    async def latest(
        self, conversations: Sequence[tuple[WorkspaceId, ConversationId]]
    ) -> list[AlertName | None]:
        return [self._latest.get(each) for each in conversations]

    async def load(self, names: Sequence[AlertName]) -> list[Alert | None]:
        return [self.kept.get(each) for each in names]

    async def put(self, alerts: Sequence[Alert]) -> list[int]:
        versions = []
        for alert in alerts:
            name = AlertName(alert.workspace_id, alert.record.id)
            before = self.kept.get(name)
            if (0 if before is None else before.version) != alert.version:
                raise Fenced("an alert was changed meanwhile")
            if before is None:
                self._latest[alert.workspace_id, alert.record.conversation_id] = name
            self.kept[name] = replace(alert, version=alert.version + 1)
            versions.append(alert.version + 1)
        return versions

    async def remember(self, dues: Sequence[tuple[Alert, datetime | None]]) -> None:
        for alert, due in dues:
            name = AlertName(alert.workspace_id, alert.record.id)
            self._dues.pop(name, None)
            if due is not None:
                self._dues[name] = (partition_of_alert(alert), due)

    async def due(self, partition: int, now: datetime, count: int) -> list[AlertName]:
        found = [
            (due, name) for name, (where, due) in self._dues.items() if where == partition and due <= now
        ]
        return [name for _, name in sorted(found)][:count]

    async def drop(self, partition: int, names: Sequence[AlertName]) -> None:  # noqa: ARG002 - the port's
        for each in names:
            self._dues.pop(each, None)

    async def is_known(self, partition: int) -> bool:
        return partition in self._known

    async def note_known(self, partition: int) -> None:
        self._known.add(partition)
