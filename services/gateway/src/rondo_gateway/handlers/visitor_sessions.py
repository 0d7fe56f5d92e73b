"""Sessions of visitors in a website's widget: begun from an allowed origin, renewed while they last.

Who a visitor is follows from what they can prove. A website's backend signs who a known one is. An
anonymous one has an id that was drawn here, and proves it by the last token of their session: the id
alone, which agents and the website see too, opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from rondo_common.clock import Clock
from rondo_common.directory.entries import Kind, WorkspaceEntry
from rondo_common.directory.sites import IdentityEntry, IdentitySalt, WidgetSettings, is_allowed
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.events import IdentitySecretRotated
from rondo_common.ids import VisitorId, WorkspaceId
from rondo_common.permissions import Permission
from rondo_gateway.domain.permissions import require_staff
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import Invalid, NotAuthenticated, NotFound, OriginNotAllowed
from rondo_gateway.domain.tokens import TokenClaims, VisitorSubject, claims_for, subject_exists
from rondo_gateway.domain.visitor_session import (
    RENEWABLE_S,
    SESSION_TOKEN_TTL_S,
    SessionBody,
    VisitorSession,
)
from rondo_gateway.handlers.own_workspace import entry_of, managed_workspace
from rondo_gateway.handlers.rate_limits import Limits
from rondo_gateway.ports import Definition, DirectoryLog, DirectoryView, Identities, Tokens

SECRETS_VALID = 2
"""The newest identity secret, and the one before it, so that a website can change over."""
TOKEN_LENGTH_MAX = 8_000
NOT_RENEWABLE = "The session cannot be renewed any more. Begin a new one."


@dataclass(frozen=True, slots=True)
class Begun:
    """A session as the widget gets it."""

    visitor_id: VisitorId
    visitor_token: str
    expires_at: datetime
    config: WidgetSettings


@dataclass(frozen=True, slots=True)
class RotatedSecret:
    """A new identity secret, in clear."""

    identity_secret: str
    created_at: datetime


class VisitorSessions:
    """Begins and renews sessions, and rotates the secret that websites sign identities with."""

    def __init__(
        self,
        directory: DirectoryView,
        log: DirectoryLog,
        tokens: Tokens,
        identities: Identities,
        limits: Limits,
        clock: Clock,
        new_salt: Callable[[], str],
    ) -> None:
        self._directory = directory
        self._log = log
        self._tokens = tokens
        self._identities = identities
        self._limits = limits
        self._clock = clock
        self._new_salt = new_salt

    async def begin(self, body: SessionBody, origin: str | None, token: str | None, address: str) -> Begun:
        """A new session, or with the ``token`` of an earlier one the visitor's next.

        Raises:
            NotFound: no workspace has the site key.
            OriginNotAllowed: its pages may not be of ``origin``.
            LimitReached: too many sessions are begun.
            NotAuthenticated: the identity is not signed as it must be.
        """
        found = await self._site(body.site_key)
        workspace = entry_of(found)
        _require_origin(workspace, origin)
        await self._limits.of_session(workspace, address)
        earlier = None if token is None else self._earlier(token, workspace)
        now = self._clock()
        if body.identity is not None:
            subject = await self._known(body, found, earlier, now)
        elif earlier is not None and earlier.id == body.visitor_id:
            subject = earlier
        else:
            session = VisitorSession(since=now)
            subject = VisitorSubject(self._identities.new_anonymous(workspace), session)
        return self._begun(subject, workspace)

    async def refresh(self, token: str, origin: str | None) -> Begun:
        """The session goes on under a new token.

        Raises:
            NotAuthenticated: it is none of a session, ended too long ago, or the session is over.
            OriginNotAllowed: the workspace no longer allows ``origin``.
        """
        claims = self._tokens.read(token, expired_s_max=RENEWABLE_S)
        found = self._directory.find(claims.workspace_id)
        if not subject_exists(claims, found):
            await self._directory.refresh()
            found = self._directory.find(claims.workspace_id)
        if found is None or not subject_exists(claims, found):
            raise NotAuthenticated(NOT_RENEWABLE)
        workspace = entry_of(found)
        _require_origin(workspace, origin)
        subject = self._renewable(claims)
        if subject is None:
            raise NotAuthenticated(NOT_RENEWABLE)
        return self._begun(subject, workspace)

    async def rotate_secret(self, caller: Principal) -> RotatedSecret:
        """A new secret for the website; the one before stays valid, older ones do not."""
        workspace_id = require_staff(caller).workspace_id
        async with self._log.changing(workspace_id):
            found = await managed_workspace(self._directory, caller, Permission.ADMIN_SECURITY)
            salt = IdentitySalt(salt=self._new_salt(), created_at=self._clock())
            kept = () if found.identity is None else found.identity.salts
            entry = IdentityEntry(salts=(salt, *kept)[:SECRETS_VALID])
            definition = Definition(Kind.IDENTITY, workspace_id, IdentitySecretRotated(identity=entry))
            await self._log.write(workspace_id, [definition])
        return RotatedSecret(self._identities.secret(entry_of(found), salt.salt), salt.created_at)

    async def _site(self, site_key: str) -> WorkspaceDirectory:
        found = self._found_site(site_key)
        if found is None:
            await self._directory.refresh()
            found = self._found_site(site_key)
        if found is None:
            raise NotFound("website with the site_key", site_key)
        return found

    def _found_site(self, site_key: str) -> WorkspaceDirectory | None:
        workspace_id = self._directory.find_site(site_key)
        return None if workspace_id is None else self._directory.find(workspace_id)

    async def _known(
        self,
        body: SessionBody,
        found: WorkspaceDirectory,
        earlier: VisitorSubject | None,
        now: datetime,
    ) -> VisitorSubject:
        """The visitor whom the website signed, joined with who they were before."""
        assert body.identity is not None  # noqa: S101 - asked for only then
        workspace = entry_of(found)
        salts = await self._salts(workspace.id)
        identity = self._identities.read(body.identity, workspace, salts, now)
        session = VisitorSession(
            since=now,
            is_known=True,
            former_id=self._former_id(body.visitor_id, workspace, earlier, identity.visitor_id),
            profile=dict(identity.profile),
        )
        return VisitorSubject(identity.visitor_id, session)

    async def _salts(self, workspace_id: WorkspaceId) -> list[str]:
        # A secret that was rotated at another gateway is valid, or not any more, at once.
        await self._directory.see_own_writes(workspace_id)
        found = self._directory.find(workspace_id)
        entry = None if found is None else found.identity
        return [] if entry is None else [each.salt for each in entry.salts]

    def _former_id(
        self,
        claimed: str | None,
        workspace: WorkspaceEntry,
        earlier: VisitorSubject | None,
        known_id: VisitorId,
    ) -> VisitorId | None:
        """The anonymous id whose conversations the known visitor keeps.

        The last token proves it. Without one, the website vouches for the visitor and the id for itself:
        it was drawn here, and nobody guesses it.
        """
        session = None if earlier is None else earlier.session
        if earlier is not None and session is not None:
            if not session.is_known:
                return earlier.id
            return session.former_id if earlier.id == known_id else None
        if claimed is not None and self._identities.is_anonymous(workspace, claimed):
            return VisitorId(claimed)
        return None

    def _earlier(self, token: str, workspace: WorkspaceEntry) -> VisitorSubject | None:
        """Whom the token of an earlier session here proves, if it still does."""
        try:
            claims = self._tokens.read(token, expired_s_max=RENEWABLE_S)
        except NotAuthenticated:
            return None
        is_here = claims.workspace_id == workspace.id
        if not is_here or not subject_exists(claims, self._directory.find(workspace.id)):
            return None
        return self._renewable(claims)

    def _renewable(self, claims: TokenClaims) -> VisitorSubject | None:
        subject = claims.subject
        if not isinstance(subject, VisitorSubject) or subject.session is None:
            return None
        return None if subject.session.is_over(self._clock()) else subject

    def _begun(self, subject: VisitorSubject, workspace: WorkspaceEntry) -> Begun:
        claims = claims_for(subject, workspace, self._clock(), SESSION_TOKEN_TTL_S)
        token = self._tokens.issue(claims)
        if len(token) > TOKEN_LENGTH_MAX:
            raise Invalid("/identity", "it says more of the visitor than a token can carry; sign less")
        return Begun(subject.id, token, claims.expires_at, workspace.settings.widget)


def _require_origin(workspace: WorkspaceEntry, origin: str | None) -> None:
    if origin is None or not is_allowed(origin, workspace.settings.allowed_origins):
        raise OriginNotAllowed(origin)
