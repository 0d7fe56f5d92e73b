"""Signing in to the agents' pages: links, sessions, and the secrets behind them.

Whoever holds a secret is let in, so only its hash is kept. A credential names its workspace (and a
session's its agent) beside the secret, so that what is kept of it is found among that workspace's keys.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from rondo_common.clock import milliseconds
from rondo_common.conversation import Value
from rondo_common.directory.entries import AgentEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import ID_PATTERN, AgentId, WorkspaceId
from rondo_common.permissions import Permission
from rondo_gateway.domain.limits import URL_LENGTH_MAX, Body

INBOX = "/inbox/"
"""Where the agents' pages are; and where one comes to who wanted to go nowhere else."""
LINK_TTL_S_MIN = 30
LINK_TTL_S_DEFAULT = 300
LINK_TTL_S_MAX = 3_600
SESSIONS_OF_AGENT_MAX = 50
"""Browsers in which an agent is signed in. With one more, the one unused for longest is signed out."""
CREDENTIAL_LENGTH_MAX = 300
SEPARATOR = "."
"""Stands in no id and in no secret."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{20,128}")
_NOT_IN_ADDRESSES = re.compile(r"[\\\x00-\x20\x7f]")
"""Browsers take a backslash for a slash, and leave out what cannot be seen."""


def is_inside_inbox(place: str) -> bool:
    """Whether ``place`` is a page of the inbox, and nothing that a browser could take for elsewhere."""
    path = re.split("[?#]", place, maxsplit=1)[0]
    steps = unquote(path).split("/")
    return (
        len(place) <= URL_LENGTH_MAX
        and place.isascii()
        and path.startswith(INBOX)
        and not _NOT_IN_ADDRESSES.search(place + unquote(path))
        and "" not in steps[1:-1]
        and not {".", ".."}.intersection(steps)
    )


def _inside_inbox(place: str) -> str:
    if not is_inside_inbox(place):
        raise PydanticCustomError(
            "inbox_path", "must be the path of a page below /inbox/, such as /inbox/conversations/cnv_1"
        )
    return place


InboxPath = Annotated[str, StringConstraints(max_length=URL_LENGTH_MAX), AfterValidator(_inside_inbox)]


class SignInLinkBody(Body):
    """For how long the link may be used, in seconds, and the page of the inbox it leads to."""

    ttl_s: int = Field(default=LINK_TTL_S_DEFAULT, ge=LINK_TTL_S_MIN, le=LINK_TTL_S_MAX)
    return_to: InboxPath | None = None


class SignInBody(Body):
    """The token of a sign-in link."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=CREDENTIAL_LENGTH_MAX)]


# --- what is kept ------------------------------------------------------------------------------


class KnownAgent(Value):
    """An agent who is let in. They are only they: a later agent, or a later workspace, of the same id is
    somebody else, whose place and whose time differ."""

    agent_id: AgentId
    place: int
    workspace_since_ms: int

    def entry_in(self, found: WorkspaceDirectory | None) -> AgentEntry | None:
        """The agent in the workspace ``found`` under its id; None when it is not they, or nobody."""
        if found is None or found.workspace is None:
            return None
        if milliseconds(found.workspace.created_at) != self.workspace_since_ms:
            return None
        defined = found.agents.get(self.agent_id)
        if defined is None or defined.entry.place != self.place:
            return None
        return defined.entry


def known_agent(found: WorkspaceDirectory, agent: AgentEntry) -> KnownAgent:
    """The agent of a workspace that exists, as they are known from now on."""
    assert found.workspace is not None  # noqa: S101 - a view finds only workspaces that exist
    since_ms = milliseconds(found.workspace.created_at)
    return KnownAgent(agent_id=agent.id, place=agent.place, workspace_since_ms=since_ms)


class KeptLink(Value):
    """A sign-in link that was not used yet."""

    agent: KnownAgent
    expires_at: datetime
    return_to: str | None = None


class KeptSession(Value):
    """A session that has not ended. It is over at ``ends_at``, however much it is used."""

    agent: KnownAgent
    begun_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """A session ends unused for ``idle_s``, and at the latest after ``max_s``."""

    idle_s: int = 24 * 60 * 60
    max_s: int = 14 * 24 * 60 * 60

    def begin(self, agent: KnownAgent, now: datetime) -> KeptSession:
        """A session from now on."""
        return KeptSession(agent=agent, begun_at=now, ends_at=now + timedelta(seconds=self.max_s))

    def expires_at(self, ends_at: datetime, now: datetime) -> datetime:
        """When a session that is used now ends, unless it is used again; at the latest at ``ends_at``."""
        return min(now + timedelta(seconds=self.idle_s), ends_at)


# --- secrets -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TicketSecret:
    """What opens something once: the token of a link, or the state of a sign-in under way."""

    workspace_id: WorkspaceId
    secret: str

    def __str__(self) -> str:
        return SEPARATOR.join((self.workspace_id, self.secret))

    @property
    def sha256(self) -> str:
        """What is kept of it."""
        return _sha256(self.secret)


@dataclass(frozen=True, slots=True)
class SessionSecret:
    """What a browser shows to be let in, in its cookie."""

    workspace_id: WorkspaceId
    agent_id: AgentId
    secret: str

    def __str__(self) -> str:
        return SEPARATOR.join((self.workspace_id, self.agent_id, self.secret))

    @property
    def sha256(self) -> str:
        """What is kept of it, and names the session."""
        return _sha256(self.secret)

    @property
    def csrf_token(self) -> str:
        """What only a page that may read the session knows: other websites' pages do not."""
        return derived(self.secret, "csrf")


def ticket_secret(text: str) -> TicketSecret | None:
    """The secret that ``text`` is; None when it is none."""
    match _parts(text):
        case [workspace_id, secret] if _SECRET.fullmatch(secret):
            return TicketSecret(WorkspaceId(workspace_id), secret)
    return None


def session_secret(text: str) -> SessionSecret | None:
    """The secret that ``text`` is; None when it is none."""
    match _parts(text):
        case [workspace_id, agent_id, secret] if _SECRET.fullmatch(secret):
            return SessionSecret(WorkspaceId(workspace_id), AgentId(agent_id), secret)
    return None


def derived(secret: str, purpose: str) -> str:
    """A secret for one purpose, from which nobody finds the others: HMAC-SHA256, in base64url."""
    digest = hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _parts(text: str) -> list[str]:
    if len(text) > CREDENTIAL_LENGTH_MAX:
        return []
    *names, secret = text.split(SEPARATOR)
    return [*names, secret] if all(re.fullmatch(ID_PATTERN, each) for each in names) else []


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# --- what is shown -----------------------------------------------------------------------------


class SignInLink(Value):
    """A link that signs an agent in, once. It is shown here and never again."""

    url: str
    expires_at: datetime


class SignInMethods(Value):
    """How the agents of a workspace can sign in by themselves."""

    oidc: bool


class SessionWorkspace(Value):
    """The workspace that an agent is signed in to. Its days begin in `time_zone`."""

    id: WorkspaceId
    name: str
    time_zone: str


class SessionAgent(Value):
    """The agent who is signed in."""

    id: AgentId
    name: str
    email: str
    avatar_url: str | None
    time_zone: str | None


class AgentSession(Value):
    """A session of an agent in this browser. `csrf_token` goes along as `X-CSRF-Token` with every `POST`,
    `PUT`, `PATCH` and `DELETE`; at `expires_at` the session ends, unless it is used before."""

    workspace: SessionWorkspace
    agent: SessionAgent
    permissions: list[Permission]
    csrf_token: str
    expires_at: datetime


class BegunSession(AgentSession):
    """A new session; `return_to` is the page of the inbox that the link leads to, if it named one."""

    return_to: str | None


def session_of(
    found: WorkspaceDirectory, agent: AgentEntry, secret: SessionSecret, expires_at: datetime
) -> AgentSession:
    """The session as its page sees it."""
    assert found.workspace is not None  # noqa: S101 - a view finds only workspaces that exist
    return AgentSession(
        workspace=SessionWorkspace(
            id=found.workspace.id,
            name=found.workspace.name,
            time_zone=found.workspace.settings.time_zone,
        ),
        agent=SessionAgent(
            id=agent.id,
            name=agent.name,
            email=agent.email,
            avatar_url=agent.avatar_url,
            time_zone=agent.time_zone,
        ),
        permissions=sorted(found.permissions_of(agent.profile)),
        csrf_token=secret.csrf_token,
        expires_at=expires_at,
    )
