"""What the directory holds: workspaces with their settings, API keys, agents."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from rondo_common.conversation import AgentCard, Value
from rondo_common.ids import AgentId, ApiKeyId, WorkspaceId


class Kind(StrEnum):
    """The kinds of directory entries, as they stand in the middle of a record's key."""

    WORKSPACE = "workspace"
    API_KEY = "api_key"
    AGENT = "agent"


class OfferAttempts(Value):
    """How many agents a route may ring for one conversation."""

    round_robin: int = Field(default=1, ge=1, le=100)
    agent: int = Field(default=1, ge=1, le=100)


class FallbackSettings(Value):
    """What a visitor sees when nobody can be connected."""

    message: str = Field(
        default="Nobody is available right now. Please leave us a message.",
        min_length=1,
        max_length=4000,
        pattern=r"^[^\x00]*$",  # PostgreSQL's text cannot hold NUL.
    )
    offer_meeting: bool = False


class WorkspaceSettings(Value):
    """A workspace's settings. Durations in seconds."""

    live_chat_enabled: bool = True
    agent_capacity: int = Field(default=10, ge=1, le=10_000)
    """The capacity of agents whose own is not set."""
    offer_timeout_s: int = Field(default=100, ge=1, le=600)
    offer_attempts: OfferAttempts = OfferAttempts()
    fallback: FallbackSettings = FallbackSettings()


class WorkspaceEntry(Value):
    """One customer of this installation; everything else belongs to exactly one."""

    id: WorkspaceId
    name: str
    settings: WorkspaceSettings = WorkspaceSettings()
    created_at: datetime


class ApiKeyEntry(Value):
    """A website backend's key. ``sha256`` is the hash of the key, in hexadecimal."""

    id: ApiKeyId
    name: str | None = None
    sha256: str
    created_at: datetime


class AgentEntry(Value):
    """A user who may answer chats. ``capacity`` is None where the workspace's applies."""

    id: AgentId
    name: str
    email: str
    avatar_url: str | None = None
    capacity: int | None = None
    live_chat: bool = True

    def card(self) -> AgentCard:
        """What a visitor may see of them."""
        return AgentCard(id=self.id, name=self.name, avatar_url=self.avatar_url)


def directory_key(workspace_id: WorkspaceId, kind: Kind, entry_id: str) -> str:
    """The record key of one entry: ``workspace/kind/id``."""
    return f"{workspace_id}/{kind}/{entry_id}"


def parse_directory_key(key: str) -> tuple[WorkspaceId, Kind, str]:
    """The workspace, kind and id that a record key names.

    Raises:
        ValueError: it is not such a key.
    """
    workspace_id, kind, entry_id = key.split("/")
    return WorkspaceId(workspace_id), Kind(kind), entry_id
