"""Asking for a conversation. Accepted means: the request is in the log."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from rondo_common.clock import Clock
from rondo_common.conversation import Request, Status
from rondo_common.conversation_view import ConversationView
from rondo_common.envelope import Envelope
from rondo_common.errors import Unavailable
from rondo_common.events import ChatRequested
from rondo_common.ids import (
    WorkspaceId,
    derived_event_id,
    keyed_conversation_id,
    new_conversation_id,
)
from rondo_gateway.domain.chat_request import ChatRequestBody, asked_by
from rondo_gateway.domain.limits import VISITOR_TOKEN_TTL_S
from rondo_gateway.domain.permissions import require_requester
from rondo_gateway.domain.principals import Backend, Principal, VisitorCaller
from rondo_gateway.domain.refusals import Invalid
from rondo_gateway.domain.tokens import VisitorSubject, claims_for
from rondo_gateway.domain.visitor_session import SESSION_TOKEN_TTL_S
from rondo_gateway.handlers.rate_limits import Limits
from rondo_gateway.handlers.requested_routes import workspace_with_route
from rondo_gateway.handlers.source import SOURCE
from rondo_gateway.ports import (
    Beginning,
    BeginOutcome,
    Conversations,
    DirectoryView,
    EventLog,
    Reservation,
    Tokens,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The conversation as first answered, a token for its visitor, and whether this is a retry."""

    view: ConversationView
    caller: Backend | VisitorCaller
    visitor_token: str
    is_replayed: bool


class ChatRequests:
    """Takes chat requests."""

    def __init__(
        self,
        directory: DirectoryView,
        conversations: Conversations,
        log: EventLog,
        tokens: Tokens,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._conversations = conversations
        self._log = log
        self._tokens = tokens
        self._limits = limits
        self._clock = clock

    async def ask(self, caller: Principal, body: ChatRequestBody, key: str | None) -> Asked:
        """Ask for a conversation. The same ``Idempotency-Key`` with the same body is the same request.

        Raises:
            Invalid: the route's agent or team is unknown, or the key stands for another request.
            LimitReached: the caller has asked too often lately.
        """
        requester = require_requester(caller)
        body = asked_by(requester, body)
        workspace_id = requester.workspace_id
        workspace = await workspace_with_route(self._directory, workspace_id, body.route)
        await self._limits.of_chat_request(requester)
        begun = await self._begin(workspace_id, body, _own_key(requester, key))
        request = body.request(begun.conversation_id, begun.requested_at)
        view = ConversationView(begun.conversation_id, Status.REQUESTED, request)
        if not begun.is_shown:
            offset = await self._publish(workspace_id, begun, request)
            # It is in the log, so it was taken: should Redis be away now, the router shows it.
            with contextlib.suppress(Unavailable):
                await self._conversations.show_requested(workspace_id, view, offset)
        assert workspace.workspace is not None  # noqa: S101 - a view finds only those that exist
        session = requester.session if isinstance(requester, VisitorCaller) else None
        ttl_s = VISITOR_TOKEN_TTL_S if session is None else SESSION_TOKEN_TTL_S
        subject = VisitorSubject(request.visitor.id, session)
        claims = claims_for(subject, workspace.workspace, self._clock(), ttl_s)
        token = self._tokens.issue(claims)
        return Asked(view, requester, token, begun.outcome is BeginOutcome.REPLAYED)

    async def _begin(self, workspace_id: WorkspaceId, body: ChatRequestBody, key: str | None) -> Beginning:
        now = self._clock()
        if key is None:
            offset = await self._directory.newest_offset(workspace_id)
            return Beginning(BeginOutcome.NEW, new_conversation_id(now), now, False, offset)
        conversation_id = keyed_conversation_id(workspace_id, key, now)
        reservation = Reservation(key, body.fingerprint(), conversation_id, now)
        begun = await self._conversations.begin_request(workspace_id, reservation)
        if begun.outcome is BeginOutcome.MISMATCH:
            raise Invalid(
                "/header/idempotency-key",
                "this key was used for another request in the last 24 hours; use a new one",
                code="idempotency-key-reused",
            )
        return begun

    async def _publish(self, workspace_id: WorkspaceId, begun: Beginning, request: Request) -> int:
        event = ChatRequested(
            conversation_id=begun.conversation_id,
            request=request,
            directory_offset=begun.directory_offset,
        )
        envelope = Envelope(
            # Derived, so that fifty retries are one fact.
            id=derived_event_id(begun.conversation_id, "requested"),
            source=SOURCE,
            time=begun.requested_at,
            workspace_id=workspace_id,
            event=event,
        )
        return await self._log.publish(envelope)


def _own_key(requester: Backend | VisitorCaller, key: str | None) -> str | None:
    """The ``Idempotency-Key`` as it is kept: one visitor's never stands for another's request."""
    if key is None or isinstance(requester, Backend):
        return key
    return f"visitor/{requester.visitor_id}/{key}"
