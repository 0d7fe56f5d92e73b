"""Parameters that many routes share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from rondo_common.ids import ID_PATTERN, AgentId, ApiKeyId, ConversationId, WorkspaceId
from rondo_gateway.domain.limits import PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX

WorkspaceInPath = Annotated[WorkspaceId, Path(pattern=ID_PATTERN)]
ApiKeyInPath = Annotated[ApiKeyId, Path(pattern=ID_PATTERN)]
AgentInPath = Annotated[AgentId, Path(pattern=ID_PATTERN)]
EntryInPath = Annotated[str, Path(alias="id", pattern=ID_PATTERN)]
"""The id of something provisioned; which kind it is of, the path says."""
ConversationInPath = Annotated[ConversationId, Path(pattern=ID_PATTERN)]

Limit = Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX, description="How many at most")]
LIMIT_DEFAULT = PAGE_SIZE_DEFAULT
Cursor = Annotated[str | None, Query(pattern=ID_PATTERN, description="`next_cursor` of the page before")]
