"""What would become of a chat request: asked of the router, which changes nothing."""

from __future__ import annotations

from collections.abc import Callable

from rondo_common.clock import Clock
from rondo_common.envelope import Envelope
from rondo_common.errors import Unavailable
from rondo_common.events import PlanRoute
from rondo_common.ids import CommandId, new_conversation_id
from rondo_common.permissions import Permission
from rondo_common.route_preview import RoutePreview
from rondo_gateway.domain.chat_request import ChatRequestBody
from rondo_gateway.domain.permissions import require_permission, require_staff
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.handlers.conversations import DECISION_WAIT_S
from rondo_gateway.handlers.requested_routes import workspace_with_route
from rondo_gateway.handlers.source import SOURCE
from rondo_gateway.ports import Answers, DirectoryView, EventLog


class RoutePlans:
    """Asks the router what it would do."""

    def __init__(
        self,
        directory: DirectoryView,
        log: EventLog,
        answers: Answers,
        clock: Clock,
        new_command_id: Callable[[], CommandId],
    ) -> None:
        self._directory = directory
        self._log = log
        self._answers = answers
        self._clock = clock
        self._new_command_id = new_command_id

    async def preview(self, caller: Principal, body: ChatRequestBody) -> RoutePreview:
        """Who would be offered this request now, and why.

        Raises:
            Invalid: the request leads nowhere, as it would when made.
            Unavailable: the router does not answer.
        """
        workspace_id = require_staff(caller).workspace_id
        found = self._directory.find(workspace_id)
        if found is None:  # Deleted since the caller was identified.
            raise NotFound("workspace", workspace_id)
        require_permission(caller, found, Permission.ADMIN_CUSTOM_RULES, Permission.ADMIN_ROUND_ROBIN)
        await workspace_with_route(self._directory, workspace_id, body.route)
        now = self._clock()
        command = PlanRoute(
            request=body.request(new_conversation_id(now), now),
            directory_offset=await self._directory.newest_offset(workspace_id),
        )
        command_id = self._new_command_id()
        async with self._answers.expected(workspace_id, command_id) as answer:
            await self._log.publish(Envelope(command_id, SOURCE, now, workspace_id, command))
            decision = await answer(DECISION_WAIT_S)
        if decision is None or decision.preview is None:
            raise Unavailable("router", f"no plan came within {DECISION_WAIT_S:.0f} s")
        return decision.preview
