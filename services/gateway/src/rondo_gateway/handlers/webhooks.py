"""Webhook endpoints: defining them, and what was delivered to them, a test, a replay, a new secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from rondo_common.clock import Clock
from rondo_common.directory.defined import Defined
from rondo_common.directory.entries import Kind, WebhookEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.errors import Conflict
from rondo_common.events import Event, WebhookDefined
from rondo_common.ids import EventId, WebhookId, WorkspaceId
from rondo_common.permissions import Permission
from rondo_common.webhooks import DeliveryState, Reread, given_up
from rondo_gateway.domain.permissions import require_staff
from rondo_gateway.domain.preconditions import Preconditions
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import Invalid, NotFound
from rondo_gateway.domain.webhooks import (
    Delivery,
    ReplayStarted,
    SentTest,
    Webhook,
    WebhookBody,
    delivery_of,
    entry_after,
    require_deliverable,
    rotated,
    webhook_of,
)
from rondo_gateway.handlers.own_workspace import managed_workspace
from rondo_gateway.handlers.provisioned import Provisioned, TabledKind, Versioned
from rondo_gateway.ports import Definition, DirectoryLog, DirectoryView, EndpointState, WebhookDesk


@dataclass(frozen=True, slots=True)
class WebhookDefinition:
    """What a caller asks for, and the secret they are given if they have none."""

    body: WebhookBody
    new_secret: str


class WebhookKind(TabledKind[WebhookDefinition, WebhookEntry, Webhook]):
    """Webhook endpoints. One that is defined again keeps its secret, unless it is given another."""

    kind = Kind.WEBHOOK
    name = "webhook"
    permission = Permission.ADMIN_INTEGRATIONS

    def __init__(self, clock: Clock, new_id: Callable[[], EventId], *, allow_private: bool) -> None:
        self._clock = clock
        self._new_id = new_id
        self._allow_private = allow_private

    def table(self, found: WorkspaceDirectory) -> Mapping[WebhookId, Defined[WebhookEntry]]:
        """See :class:`TabledKind`."""
        return found.webhooks

    async def define(
        self,
        caller: Principal,  # noqa: ARG002 - the kinds' common form
        found: WorkspaceDirectory,
        entry_id: str,
        body: WebhookDefinition,
    ) -> WebhookEntry:
        """See :class:`ProvisionedKind`."""
        require_deliverable(body.body.url, allow_private=self._allow_private)
        present = self.find(found, entry_id)
        return entry_after(
            None if present is None else present.entry,
            WebhookId(entry_id),
            body.body,
            new_secret=body.new_secret,
            activation=self._new_id(),
            now=self._clock(),
        )

    def event(self, entry: WebhookEntry) -> Event:
        """See :class:`ProvisionedKind`."""
        return WebhookDefined(webhook=entry)

    def show(self, found: WorkspaceDirectory, entry: WebhookEntry) -> Webhook:  # noqa: ARG002 - the kinds' common form
        """See :class:`ProvisionedKind`."""
        return webhook_of(entry)

    def is_settled(self, found: WorkspaceDirectory, defined: Defined[WebhookEntry]) -> bool:  # noqa: ARG002 - the kinds' common form
        """Never: whether it was given up shows too."""
        return False


class Webhooks:
    """What can be asked about webhook endpoints."""

    def __init__(
        self,
        directory: DirectoryView,
        log: DirectoryLog,
        provisioned: Provisioned[WebhookDefinition, WebhookEntry, Webhook],
        desk: WebhookDesk,
        clock: Clock,
        new_id: Callable[[], EventId],
        new_secret: Callable[[], str],
    ) -> None:
        self._directory = directory
        self._log = log
        self._provisioned = provisioned
        self._desk = desk
        self._clock = clock
        self._new_id = new_id
        self._new_secret = new_secret

    async def put(
        self, caller: Principal, entry_id: str, body: WebhookBody, preconditions: Preconditions
    ) -> Versioned[Webhook]:
        """Define an endpoint. The secret it is given is shown this once. Raises as ``Provisioned.put``."""
        definition = WebhookDefinition(body, self._new_secret())
        versioned = await self._provisioned.put(caller, entry_id, definition, preconditions)
        is_given = versioned.is_new and body.secret is None
        shown = versioned.shown.model_copy(update={"secret": definition.new_secret if is_given else None})
        return replace(versioned, shown=shown)

    async def read(self, caller: Principal, entry_id: str) -> Versioned[Webhook]:
        """One endpoint, with how its deliveries go. Raises ``NotFound``."""
        versioned = await self._provisioned.read(caller, entry_id)
        (shown,) = await self._with_states(caller, [versioned.shown])
        return replace(versioned, shown=shown)

    async def list_page(
        self, caller: Principal, limit: int, after: str | None
    ) -> tuple[list[Webhook], str | None]:
        """A page of endpoints, by id."""
        page, cursor = await self._provisioned.list_page(caller, limit, after)
        return await self._with_states(caller, page), cursor

    async def delete(self, caller: Principal, entry_id: str, preconditions: Preconditions) -> None:
        """Remove an endpoint. Raises as ``Provisioned.delete``."""
        await self._provisioned.delete(caller, entry_id, preconditions)

    async def rotate_secret(self, caller: Principal, webhook_id: WebhookId) -> Versioned[Webhook]:
        """Give it a new secret, shown once; the present one signs too for a day. Raises ``NotFound``."""
        workspace_id = require_staff(caller).workspace_id
        secret = self._new_secret()
        async with self._log.changing(workspace_id):
            present = await self._existing(caller, webhook_id)
            secrets = rotated(present.secrets, secret, self._clock())
            entry = present.model_copy(update={"secrets": secrets})
            definition = Definition(Kind.WEBHOOK, webhook_id, WebhookDefined(webhook=entry))
            (offset,) = await self._log.write(workspace_id, [definition])
        (shown,) = await self._with_states(caller, [webhook_of(entry)])
        return Versioned(shown.model_copy(update={"secret": secret}), offset)

    async def deliveries(
        self,
        caller: Principal,
        webhook_id: WebhookId,
        *,
        state: DeliveryState | None,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[Delivery], str | None]:
        """A page of what was sent, the newest first. Raises ``NotFound``, ``Invalid``."""
        if cursor is not None and not (cursor.isascii() and cursor.isdecimal()):
            raise Invalid("/cursor", "is not the next_cursor of a page of deliveries")
        await self._existing(caller, webhook_id)
        records, following = await self._desk.deliveries(
            require_staff(caller).workspace_id,
            webhook_id,
            state=state,
            limit=limit,
            before=None if cursor is None else int(cursor),
        )
        return [delivery_of(each) for each in records], None if following is None else str(following)

    async def test(self, caller: Principal, webhook_id: WebhookId) -> SentTest:
        """Send a test now. Raises ``NotFound``, and ``Conflict`` when nothing is sent to the endpoint."""
        workspace_id = await self._require_active(caller, webhook_id)
        test_id = self._new_id()
        await self._desk.ask_for_test(workspace_id, webhook_id, test_id)
        return SentTest(id=test_id)

    async def replay(self, caller: Principal, webhook_id: WebhookId, since: datetime) -> ReplayStarted:
        """Send again what happened from ``since`` until now.

        Raises:
            NotFound: there is no such endpoint.
            Invalid: the time has no zone, or is still to come.
            Conflict: nothing is sent to the endpoint, or another replay is not done.
        """
        workspace_id = await self._require_active(caller, webhook_id)
        now = self._clock()
        if since.tzinfo is None:
            raise Invalid("/since", "must say its zone, such as 2026-01-01T12:00:00Z")
        if since > now:
            raise Invalid("/since", "must not be in the future")
        reread = Reread(since=since, until=now)
        if not await self._desk.ask_for_replay(workspace_id, webhook_id, reread):
            raise Conflict("replay-not-done", "An earlier replay is not done yet. Repeat this when it is.")
        return ReplayStarted(since=reread.since, until=reread.until)

    async def _require_active(self, caller: Principal, webhook_id: WebhookId) -> WorkspaceId:
        entry = await self._existing(caller, webhook_id)
        (shown,) = await self._with_states(caller, [webhook_of(entry)])
        if not shown.enabled or shown.disabled_by_failure:
            raise Conflict(
                "webhook-disabled", "Nothing is sent to this endpoint. Define it with enabled true first."
            )
        return require_staff(caller).workspace_id

    async def _existing(self, caller: Principal, webhook_id: WebhookId) -> WebhookEntry:
        found = await managed_workspace(self._directory, caller, Permission.ADMIN_INTEGRATIONS)
        if webhook_id not in found.webhooks:
            await self._directory.refresh()  # It may have been made at another gateway just now.
        defined = found.webhooks.get(webhook_id)
        if defined is None:
            raise NotFound("webhook", webhook_id)
        return defined.entry

    async def _with_states(self, caller: Principal, shown: list[Webhook]) -> list[Webhook]:
        workspace_id = require_staff(caller).workspace_id
        states = await self._desk.states(workspace_id, [each.id for each in shown])
        found = self._directory.find(workspace_id)
        return [
            _with_state(each, state, None if found is None else found.webhooks.get(each.id))
            for each, state in zip(shown, states, strict=True)
        ]


def _with_state(shown: Webhook, state: EndpointState, defined: Defined[WebhookEntry] | None) -> Webhook:
    is_given_up = defined is not None and given_up(defined.entry.activation, state.given_up)
    return shown.model_copy(
        update={"disabled_by_failure": is_given_up, "failing_since": state.failing_since}
    )
