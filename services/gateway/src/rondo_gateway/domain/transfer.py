"""Whom an agent hands a conversation over to."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from rondo_common.ids import ExternalId
from rondo_gateway.domain.limits import Body


class TransferBody(Body):
    """Another agent, or a team: exactly one of them."""

    agent_id: ExternalId | None = None
    team_id: Annotated[ExternalId | None, Field(validate_default=True)] = None

    @field_validator("team_id")
    @classmethod
    def _is_one_of_two(cls, team_id: str | None, info: ValidationInfo) -> str | None:
        if "agent_id" not in info.data:
            return team_id  # It is refused already.
        match info.data["agent_id"], team_id:
            case None, None:
                raise PydanticCustomError("nobody", "name an agent_id or a team_id to transfer to")
            case str(), str():
                raise PydanticCustomError("both", "name either an agent_id or a team_id, not both")
        return team_id
