"""Who is calling, once their credential was checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rondo_common.conversation import Party
from rondo_common.ids import AgentId, ApiKeyId, VisitorId, WorkspaceId
from rondo_gateway.domain.visitor_session import VisitorSession


@dataclass(frozen=True, slots=True)
class Operator:
    """Runs this installation. Belongs to no workspace."""


@dataclass(frozen=True, slots=True)
class Backend:
    """A website's backend, by an API key of its workspace."""

    workspace_id: WorkspaceId
    key_id: ApiKeyId

    def party(self) -> Party:
        """As it stands in events."""
        return Party(type="key", id=self.key_id)


@dataclass(frozen=True, slots=True)
class AgentCaller:
    """An agent, by a token or a session that is valid until ``expires_at``.

    ``session_sha256`` names the session, where it is one: it can end before.
    """

    workspace_id: WorkspaceId
    agent_id: AgentId
    expires_at: datetime
    session_sha256: str | None = None

    def party(self) -> Party:
        """As they stand in events."""
        return Party(type="agent", id=self.agent_id)


@dataclass(frozen=True, slots=True)
class VisitorCaller:
    """A visitor, by a token that is valid until ``expires_at``.

    ``session`` is the widget's, where the token is of one; else a website's backend gave it out.
    """

    workspace_id: WorkspaceId
    visitor_id: VisitorId
    expires_at: datetime
    session: VisitorSession | None = None

    @property
    def visitor_ids(self) -> frozenset[VisitorId]:
        """The ids under which this visitor has conversations."""
        former_id = None if self.session is None else self.session.former_id
        return frozenset({self.visitor_id} if former_id is None else {self.visitor_id, former_id})

    def party(self) -> Party:
        """As they stand in events."""
        return Party(type="visitor", id=self.visitor_id)


Member = Backend | AgentCaller | VisitorCaller
"""A caller who belongs to one workspace: every key they reach is built from it."""
Principal = Operator | Member
