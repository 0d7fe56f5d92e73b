"""How far each workspace's directory was written, for every gateway to know."""

from __future__ import annotations

from rondo_common.ids import WorkspaceId
from rondo_common.redis.functions import FunctionCall, FunctionLibrary
from rondo_common.redis.keys import workspace_key


def directory_offset_key(workspace_id: WorkspaceId) -> str:
    """The newest directory offset (exclusive) of a workspace: a number."""
    return workspace_key(workspace_id, "directory_offset")


class RedisDirectoryOffsets:
    """The newest directory offset of each workspace. Raises ``Unavailable``."""

    def __init__(self, functions: FunctionLibrary) -> None:
        self._functions = functions

    async def newest(self, workspace_id: WorkspaceId) -> int:
        """The newest offset noted; 0 when there is none."""
        # A function for a plain read, because functions called at the same time travel together.
        key = directory_offset_key(workspace_id)
        return int(
            await self._functions.call(FunctionCall("rondo_gateway_newest_directory_offset", (key,)))
        )

    async def note(self, workspace_id: WorkspaceId, offset: int) -> None:
        """Let everybody know of ``offset``, unless a newer one is known."""
        key = directory_offset_key(workspace_id)
        await self._functions.call(FunctionCall("rondo_gateway_note_directory_offset", (key,), (offset,)))
