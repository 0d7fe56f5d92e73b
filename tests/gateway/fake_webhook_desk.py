"""The notifier's desk for webhooks in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rondo_common.ids import EventId, WebhookId, WorkspaceId
from rondo_common.webhooks import DeliveryRecord, DeliveryState, Reread
from rondo_gateway.ports import EndpointState

Endpoint = tuple[WorkspaceId, WebhookId]


class FakeWebhookDesk:
    """A :class:`rondo_gateway.ports.WebhookDesk`; tests put in what the notifier would."""

    def __init__(self) -> None:
        self.known: dict[Endpoint, EndpointState] = {}
        self.records: defaultdict[Endpoint, list[DeliveryRecord]] = defaultdict(list)
        """Oldest first; a record's number is its place, from 1."""
        self.tests: defaultdict[Endpoint, list[EventId]] = defaultdict(list)
        self.replays: dict[Endpoint, Reread] = {}

    async def states(
        self, workspace_id: WorkspaceId, webhook_ids: Sequence[WebhookId]
    ) -> list[EndpointState]:
        return [self.known.get((workspace_id, each), EndpointState()) for each in webhook_ids]

    async def deliveries(
        self,
        workspace_id: WorkspaceId,
        webhook_id: WebhookId,
        *,
        state: DeliveryState | None,
        limit: int,
        before: int | None,
    ) -> tuple[list[DeliveryRecord], int | None]:
        numbered = [
            (number, each)
            for number, each in enumerate(self.records[workspace_id, webhook_id], start=1)
            if (before is None or number < before) and (state is None or each.state is state)
        ][::-1]
        page = numbered[:limit]
        following = page[-1][0] if len(numbered) > limit else None
        return [each for _, each in page], following

    async def ask_for_test(
        self, workspace_id: WorkspaceId, webhook_id: WebhookId, test_id: EventId
    ) -> None:
        self.tests[workspace_id, webhook_id].append(test_id)

    async def ask_for_replay(
        self, workspace_id: WorkspaceId, webhook_id: WebhookId, reread: Reread
    ) -> bool:
        return self.replays.setdefault((workspace_id, webhook_id), reread) is reread
