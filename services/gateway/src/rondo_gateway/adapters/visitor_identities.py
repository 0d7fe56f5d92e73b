"""Identities of visitors. Every secret here is derived from the installation's, so that none is kept."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import jwt

from rondo_common.clock import milliseconds
from rondo_common.directory.entries import WorkspaceEntry
from rondo_common.ids import VisitorId
from rondo_gateway.domain.identity import CLOCK_SKEW_S_MAX, Identity, identity_of
from rondo_gateway.domain.refusals import NotAuthenticated

ALGORITHM = "HS256"
SECRET_PREFIX = "ids_"  # noqa: S105 - what every secret begins with is none
ANONYMOUS_PREFIX = "vis_"
SEAL_LENGTH = 20
"""In hexadecimal digits: 80 bits that show that an id was given here. Guessing one takes those and the
128 of the id itself."""


class VisitorIdentities:
    """See :class:`rondo_gateway.ports.Identities`."""

    def __init__(self, secret: str, new_token: Callable[[], str]) -> None:
        self._secret = secret.encode()
        self._new_token = new_token

    def new_anonymous(self, workspace: WorkspaceEntry) -> VisitorId:
        """See :class:`Identities`."""
        name = ANONYMOUS_PREFIX + self._new_token()
        return VisitorId(f"{name}_{self._seal(workspace, name)}")

    def is_anonymous(self, workspace: WorkspaceEntry, visitor_id: str) -> bool:
        """See :class:`Identities`."""
        name, _, seal = visitor_id.rpartition("_")
        return name.startswith(ANONYMOUS_PREFIX) and hmac.compare_digest(seal, self._seal(workspace, name))

    def secret(self, workspace: WorkspaceEntry, salt: str) -> str:
        """See :class:`Identities`."""
        return SECRET_PREFIX + self._derived("identity-secret", workspace, salt)

    def read(self, token: str, workspace: WorkspaceEntry, salts: Sequence[str], now: datetime) -> Identity:
        """See :class:`Identities`."""
        for salt in salts:
            claims = _signed_claims(token, self.secret(workspace, salt))
            if claims is not None:
                return identity_of(claims, now)
        raise NotAuthenticated(
            "The identity is not signed with this workspace's identity_secret, as a JWT with HS256."
        )

    def _seal(self, workspace: WorkspaceEntry, name: str) -> str:
        return self._derived("anonymous-visitor", workspace, name)[:SEAL_LENGTH]

    def _derived(self, purpose: str, workspace: WorkspaceEntry, of: str) -> str:
        subject = "\x00".join((purpose, workspace.id, str(milliseconds(workspace.created_at)), of))
        return hmac.new(self._secret, subject.encode(), hashlib.sha256).hexdigest()


def _signed_claims(token: str, secret: str) -> dict[str, Any] | None:
    """The claims, if ``secret`` signed them. Whether they have expired is not looked at here."""
    try:
        return jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            options={"verify_exp": False, "verify_aud": False},
            leeway=CLOCK_SKEW_S_MAX,
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        return None
