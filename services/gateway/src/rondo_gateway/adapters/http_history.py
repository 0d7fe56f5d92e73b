"""History over its internal HTTP interface."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import httpx

from rondo_common.errors import Unavailable
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_gateway.domain.assignments import Assignments
from rondo_gateway.domain.listing import KeptConversation, KeptPage, Wanted
from rondo_gateway.domain.refusals import Invalid
from rondo_gateway.domain.report import Report, ReportQuestion
from rondo_gateway.domain.representation import MessageList
from rondo_gateway.domain.transcript import Transcript, TranscriptLine

TIMEOUT_S = 4.0


class HttpHistory:
    """See :class:`rondo_gateway.ports.History`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def messages(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        *,
        limit: int,
        after: str | None,
        at_least: int,
    ) -> MessageList:
        """See :class:`History`."""
        query = {"limit": str(limit), "at_least": str(at_least)} | (
            {} if after is None else {"after": after}
        )
        answer = await self._get(workspace_id, conversation_id, "messages", query)
        if answer is None:
            return MessageList(data=[], next_cursor=None)
        return MessageList.model_validate(answer, extra="ignore")

    async def latest_messages(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        *,
        limit: int,
        before: str | None,
        at_least: int,
    ) -> MessageList:
        """See :class:`History`."""
        query = {"limit": str(limit), "at_least": str(at_least)} | (
            {} if before is None else {"before": before}
        )
        answer = await self._get(workspace_id, conversation_id, "messages/latest", query)
        if answer is None:
            return MessageList(data=[], next_cursor=None)
        return MessageList.model_validate(answer, extra="ignore")

    async def transcript(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, at_least: int
    ) -> Transcript | None:
        """See :class:`History`."""
        query = {"at_least": str(at_least)}
        lines: list[TranscriptLine] = []
        while True:
            answer = await self._get(workspace_id, conversation_id, "transcript", query)
            if answer is None:
                return None
            part = Transcript.model_validate(answer)
            lines += part.lines
            if answer["next_after"] is None:
                return part.model_copy(update={"lines": lines})
            query = {"after": str(answer["next_after"])}

    async def conversation(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> KeptConversation | None:
        """See :class:`History`."""
        path = f"{_workspace(workspace_id)}/conversations/{conversation_id}"
        answer = await self._get_json(path, {})
        return None if answer is None else KeptConversation.model_validate(answer)

    async def conversations(
        self, workspace_id: WorkspaceId, wanted: Wanted, *, requests_at_least: int
    ) -> KeptPage:
        """See :class:`History`."""
        query = wanted.to_query() | {"requests_at_least": str(requests_at_least)}
        answer = await self._get_json(f"{_workspace(workspace_id)}/conversations", query)
        return KeptPage.model_validate(answer)

    async def can_mail(self) -> bool:
        """See :class:`History`."""
        answer = await self._get_json("/internal/v1/mail", {})
        return answer is not None and bool(answer["is_configured"])

    async def live_chat_report(self, workspace_id: WorkspaceId, question: ReportQuestion) -> Report:
        """See :class:`History`."""
        query = {
            "requested_from": question.start.isoformat(),
            "requested_before": question.end.isoformat(),
            "time_zone": question.time_zone,
            "group_by": question.grouping.value,
        }
        answer = await self._get_json(f"{_workspace(workspace_id)}/reports/live_chat", query)
        return Report.model_validate(answer)

    async def assignments(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, at_least: int
    ) -> Assignments | None:
        """See :class:`History`."""
        query = {"at_least": str(at_least)}
        answer = await self._get(workspace_id, conversation_id, "assignments", query)
        return None if answer is None else Assignments.model_validate(answer, extra="ignore")

    async def _get(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        what: str,
        query: dict[str, str],
    ) -> Any:
        """The answer's JSON; None when history does not know the conversation.

        Raises:
            Invalid: history cannot read the cursor, the one thing here that callers make up.
        """
        path = f"{_workspace(workspace_id)}/conversations/{conversation_id}/{what}"
        return await self._get_json(path, query)

    async def _get_json(self, path: str, query: dict[str, str]) -> Any:
        """As :meth:`_get`."""
        try:
            response = await self._client.get(path, params=query)
            if response.status_code == HTTPStatus.NOT_FOUND:
                return None
            if response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
                raise Invalid("/query/cursor", "is not a cursor of this list")
            response.raise_for_status()
            return response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable("history", repr(error)) from error


def _workspace(workspace_id: WorkspaceId) -> str:
    return f"/internal/v1/workspaces/{workspace_id}"
