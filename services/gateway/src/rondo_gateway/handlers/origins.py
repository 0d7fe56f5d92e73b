"""Which websites' pages may call with a visitor's token."""

from __future__ import annotations

from rondo_common.directory.sites import is_allowed
from rondo_gateway.domain.refusals import NotAuthenticated
from rondo_gateway.domain.tokens import VisitorSubject
from rondo_gateway.domain.visitor_session import RENEWABLE_S
from rondo_gateway.ports import DirectoryView, Tokens


class AllowedOrigins:
    """Looks at the ``allowed_origins`` of workspaces. Never blocks."""

    def __init__(self, directory: DirectoryView, tokens: Tokens) -> None:
        self._directory = directory
        self._tokens = tokens

    def is_known(self, origin: str) -> bool:
        """Whether any workspace allows it."""
        return self._directory.is_origin_known(origin)

    def of_token(self, token: str, origin: str) -> bool | None:
        """Whether the workspace of a visitor's token, expired or not, allows it; None for other tokens."""
        try:
            claims = self._tokens.read(token, expired_s_max=RENEWABLE_S)
        except NotAuthenticated:
            return None
        if not isinstance(claims.subject, VisitorSubject):
            return None
        found = self._directory.find(claims.workspace_id)
        if found is None or found.workspace is None:
            return None
        return is_allowed(origin, found.workspace.settings.allowed_origins)
