"""Sessions in browsers: the cookie that keeps one, and who may call by it.

A browser sends a cookie along with whatever any website makes it ask. So a request by cookie counts only
from the gateway's own pages: where a browser says whence it comes, that must be here; and whatever changes
something shows a token that only those pages can read (decision 0062).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response

from rondo_gateway.domain.oidc import FLOW_TTL
from rondo_gateway.domain.refusals import ForeignPage
from rondo_gateway.domain.sign_in import SessionSecret, session_secret

SESSION_COOKIE = "rondo_session"
FLOW_COOKIE = "rondo_sign_in"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FOREIGN = "A cookie opens nothing to pages of other websites. Call from the gateway's own pages."
CSRF_REFUSAL = "Send the csrf_token of GET /v1/session as X-CSRF-Token."

By = Literal["safe", "unsafe", "stream"]
"""What a request does: it reads, it changes something, or it opens a stream."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where browsers find this gateway; ``public_url`` is empty where it is only known by the requests."""

    public_url: str = ""

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by https."""
        return self.public_url.startswith("https://")

    @property
    def session_cookie(self) -> str:
        """The name of the cookie. No other host, not even a subdomain, can set one with the prefix."""
        return self._named(SESSION_COOKIE)

    @property
    def flow_cookie(self) -> str:
        """The name of the cookie of a sign-in under way."""
        return self._named(FLOW_COOKIE)

    def url(self, connection: HTTPConnection) -> str:
        """Where this gateway is, without a slash at the end."""
        return self.public_url or f"{connection.url.scheme}://{connection.url.netloc}"

    def is_own(self, origin: str, headers: Headers) -> bool:
        """Whether a page of ``origin`` is one of this gateway's."""
        try:
            page, public = urlsplit(origin), urlsplit(self.public_url)
        except ValueError:
            return False
        if public.netloc and (page.scheme, page.netloc) == (public.scheme, public.netloc):
            return True
        if self.is_secure and page.scheme != "https":
            return False
        return bool(page.netloc) and page.netloc == headers.get("host", "")

    def _named(self, name: str) -> str:
        return f"__Host-{name}" if self.is_secure else name


def site_of(connection: HTTPConnection) -> Site:
    """Where the application that is called is found."""
    return cast("Site", connection.app.state.site)


def secret_in(connection: HTTPConnection) -> SessionSecret | None:
    """The secret in the session's cookie; None without one."""
    value = connection.cookies.get(site_of(connection).session_cookie)
    return None if value is None else session_secret(value)


def require_own_page(connection: HTTPConnection, secret: SessionSecret, *, is_stream: bool = False) -> None:
    """Check that a request by cookie is of the gateway's own pages. Raises ``ForeignPage``."""
    method = "GET" if connection.scope["type"] == "websocket" else connection.scope["method"]
    by: By = "stream" if is_stream else "safe" if method in SAFE_METHODS else "unsafe"
    if not is_from_here(connection, by):
        raise ForeignPage(FOREIGN)
    token = connection.headers.get(CSRF_HEADER, "")
    if by == "unsafe" and not hmac.compare_digest(token.encode(), secret.csrf_token.encode()):
        raise ForeignPage(CSRF_REFUSAL)


def is_from_here(connection: HTTPConnection, by: By) -> bool:
    """Whether nothing that the browser says of where a request comes from names another website."""
    headers = connection.headers
    origin = headers.get("origin")
    if origin is not None and not site_of(connection).is_own(origin, headers):
        return False
    if origin is not None and connection.scope["type"] == "websocket":
        return True  # Browsers do not agree on which site a socket is of; all of them send the origin.
    fetch_site = headers.get("sec-fetch-site", "same-origin")
    if by == "stream":
        return fetch_site == "same-origin"
    is_followed = by == "safe" and headers.get("sec-fetch-mode") == "navigate"  # A link to here, say.
    return fetch_site in {"same-origin", "none"} or is_followed


def keep_session(response: Response, site: Site, secret: SessionSecret, max_age_s: int) -> None:
    """Let the browser keep the session, for so long at most."""
    _set(response, site, site.session_cookie, str(secret), max_age_s)


def forget_session(response: Response, site: Site) -> None:
    """Let the browser forget its session."""
    _set(response, site, site.session_cookie, "", 0)


def keep_flow(response: Response, site: Site, browser_secret: str) -> None:
    """Let the browser keep the secret of a sign-in under way."""
    _set(response, site, site.flow_cookie, browser_secret, int(FLOW_TTL.total_seconds()))


def forget_flow(response: Response, site: Site) -> None:
    """Let the browser forget it: the sign-in is over."""
    _set(response, site, site.flow_cookie, "", 0)


def _set(response: Response, site: Site, name: str, value: str, max_age_s: int) -> None:
    response.set_cookie(
        name, value, max_age=max_age_s, path="/", secure=site.is_secure, httponly=True, samesite="lax"
    )
