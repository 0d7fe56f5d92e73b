"""Tokens as JSON Web Tokens: HS256 with the installation's secret, one audience a kind of caller."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import Any

import jwt

from rondo_common.ids import ID_PATTERN, AgentId, VisitorId, WorkspaceId
from rondo_gateway.domain.refusals import NotAuthenticated
from rondo_gateway.domain.tokens import AgentSubject, TokenClaims, VisitorSubject
from rondo_gateway.domain.visitor_session import VisitorSession

ALGORITHM = "HS256"
AGENT_AUDIENCE = "rondo-agent"
VISITOR_AUDIENCE = "rondo-visitor"
REQUIRED = ("exp", "aud", "ws", "ws_since")
TOKEN_LENGTH_MAX = 8192
"""A session's token carries what the website signed of its visitor."""


class JwtTokens:
    """See :class:`rondo_gateway.ports.Tokens`."""

    def __init__(self, secret: str) -> None:
        encoded = base64.urlsafe_b64encode(secret.encode()).rstrip(b"=").decode()
        self._key = jwt.PyJWK({"kty": "oct", "k": encoded}, algorithm=ALGORITHM)

    def issue(self, claims: TokenClaims) -> str:
        """See :class:`Tokens`."""
        payload: dict[str, Any] = {
            "ws": claims.workspace_id,
            "ws_since": claims.workspace_since_ms,
            "exp": claims.expires_at,
        }
        if isinstance(claims.subject, AgentSubject):
            payload |= {"aud": AGENT_AUDIENCE, "agent_id": claims.subject.id}
        else:
            payload |= {"aud": VISITOR_AUDIENCE, "visitor_id": claims.subject.id}
            if claims.subject.session is not None:
                payload["session"] = claims.subject.session.model_dump(mode="json", exclude_defaults=True)
        return jwt.encode(payload, self._key, algorithm=ALGORITHM)

    def read(self, token: str, *, expired_s_max: int = 0) -> TokenClaims:
        """See :class:`Tokens`."""
        if len(token) > TOKEN_LENGTH_MAX:
            raise NotAuthenticated("The credential is too long to be one.")
        try:
            payload = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=[AGENT_AUDIENCE, VISITOR_AUDIENCE],
                options={"require": list(REQUIRED)},
                leeway=expired_s_max,
            )
            return _claims(payload)
        except jwt.ExpiredSignatureError:
            raise NotAuthenticated("The token has expired. Get a new one.") from None
        except (jwt.PyJWTError, KeyError, TypeError, ValueError, OverflowError):
            raise NotAuthenticated("The credential is not valid. Get a new one.") from None


def _claims(payload: dict[str, Any]) -> TokenClaims:
    """Raises ``KeyError``, ``TypeError`` or ``ValueError`` for claims that are not as issued here."""
    subject: AgentSubject | VisitorSubject
    if payload["aud"] == AGENT_AUDIENCE:
        subject = AgentSubject(AgentId(_id(payload["agent_id"])))
    else:
        session = payload.get("session")
        subject = VisitorSubject(
            VisitorId(_id(payload["visitor_id"])),
            None if session is None else VisitorSession.model_validate(session),
        )
    return TokenClaims(
        workspace_id=WorkspaceId(_id(payload["ws"])),
        workspace_since_ms=int(payload["ws_since"]),
        subject=subject,
        expires_at=datetime.fromtimestamp(payload["exp"], UTC),
    )


def _id(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(ID_PATTERN, value):
        raise ValueError("not an id")
    return value
