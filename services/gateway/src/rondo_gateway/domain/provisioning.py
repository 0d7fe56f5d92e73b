"""What operators and backends provision: workspaces, API keys, agents, settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import EmailStr, Field, StringConstraints, ValidationError

from rondo_common.directory.entries import AgentEntry, WorkspaceSettings
from rondo_common.ids import AgentId, ExternalId
from rondo_gateway.domain.limits import (
    AGENT_TOKEN_TTL_S_DEFAULT,
    AGENT_TOKEN_TTL_S_MAX,
    CAPACITY_MAX,
    Body,
    Name,
    Url,
)
from rondo_gateway.domain.refusals import Invalid


class WorkspaceBody(Body):
    """A new workspace, under an id of the operator's choice."""

    id: ExternalId
    name: Name


class ApiKeyBody(Body):
    """A new API key; the name is for people to tell keys apart."""

    name: Name | None = None


class AgentBody(Body):
    """An agent. Without a `capacity`, the workspace's `agent_capacity` applies."""

    name: Name
    email: EmailStr
    avatar_url: Annotated[Url, StringConstraints(pattern="^https?://")] | None = None
    capacity: int | None = Field(default=None, ge=1, le=CAPACITY_MAX)
    live_chat: bool = True

    def entry(self, agent_id: AgentId) -> AgentEntry:
        """The agent as the directory keeps them."""
        return AgentEntry(id=agent_id, **self.model_dump())


class AgentTokenBody(Body):
    """How long the token is valid, in seconds."""

    ttl_s: int = Field(default=AGENT_TOKEN_TTL_S_DEFAULT, ge=1, le=AGENT_TOKEN_TTL_S_MAX)


class AvailabilityBody(Body):
    """What to switch an agent's availability to; null: back to the schedule."""

    available: bool | None


def patched_settings(settings: WorkspaceSettings, patch: Mapping[str, Any]) -> WorkspaceSettings:
    """``settings`` after a JSON merge patch (RFC 7396): null puts a setting back to its default.

    Raises:
        Invalid: a setting is unknown, or its value is not one it can have.
    """
    try:
        # As JSON, for strictness: "5" is no number there either, yet objects may become models.
        merged = json.dumps(_merged(settings.model_dump(mode="json"), patch))
        return WorkspaceSettings.model_validate_json(merged, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid("".join(f"/{token}" for token in first["loc"]), first["msg"]) from None
    except RecursionError:
        raise Invalid("", "the settings are nested too deeply") from None


def _merged(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """RFC 7396, except that unknown names stay, so that they are refused and not passed over."""
    result = dict(target)
    for name, value in patch.items():
        present = target.get(name)
        if value is None and name in target:
            del result[name]
        elif isinstance(present, Mapping) and isinstance(value, Mapping):
            result[name] = _merged(present, value)
        else:
            result[name] = value
    return result
