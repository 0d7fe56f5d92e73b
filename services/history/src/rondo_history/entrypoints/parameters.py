"""Parameters that many of the internal routes share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from rondo_common.ids import ID_PATTERN, ConversationId, WorkspaceId

WorkspaceInPath = Annotated[WorkspaceId, Path(pattern=ID_PATTERN)]
ConversationInPath = Annotated[ConversationId, Path(pattern=ID_PATTERN)]
