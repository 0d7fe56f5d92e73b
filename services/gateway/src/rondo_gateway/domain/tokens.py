"""What the tokens of agents and visitors say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rondo_common.clock import milliseconds
from rondo_common.directory.entries import WorkspaceEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import AgentId, VisitorId, WorkspaceId
from rondo_gateway.domain.visitor_session import VisitorSession


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """The workspace, and one agent or one visitor of it.

    ``workspace_since_ms`` is when the workspace was created: a token does not outlive a workspace
    into a later one of the same id.
    """

    workspace_id: WorkspaceId
    workspace_since_ms: int
    subject: AgentSubject | VisitorSubject
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AgentSubject:
    """The token is this agent's."""

    id: AgentId


@dataclass(frozen=True, slots=True)
class VisitorSubject:
    """The token is this visitor's; of a session of the widget, or given out by a website's backend."""

    id: VisitorId
    session: VisitorSession | None = None


def claims_for(
    subject: AgentSubject | VisitorSubject, workspace: WorkspaceEntry, now: datetime, ttl_s: int
) -> TokenClaims:
    """A token for ``subject``, valid for ``ttl_s`` seconds (tokens count in whole ones)."""
    expires_at = (now + timedelta(seconds=ttl_s)).replace(microsecond=0)
    return TokenClaims(workspace.id, milliseconds(workspace.created_at), subject, expires_at)


def subject_exists(claims: TokenClaims, found: WorkspaceDirectory | None) -> bool:
    """Whether the workspace ``found`` under the token's id is the one it speaks of, with its agent."""
    if found is None or found.workspace is None:
        return False
    if milliseconds(found.workspace.created_at) != claims.workspace_since_ms:
        return False
    return isinstance(claims.subject, VisitorSubject) or claims.subject.id in found.agents
