"""History over its internal HTTP interface."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import httpx

from rondo_common.errors import Unavailable
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_gateway.domain.assignments import Assignments
from rondo_gateway.domain.refusals import Invalid
from rondo_gateway.domain.representation import MessageList
from rondo_gateway.domain.transcript import Transcript

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

    async def transcript(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, at_least: int
    ) -> Transcript | None:
        """See :class:`History`."""
        query = {"at_least": str(at_least)}
        answer = await self._get(workspace_id, conversation_id, "transcript", query)
        return None if answer is None else Transcript.model_validate(answer)

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
        path = f"/internal/v1/workspaces/{workspace_id}/conversations/{conversation_id}/{what}"
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
