"""An OpenID Connect issuer over HTTP: discovery, its keys, and redeeming codes. See decision 0061."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Never
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
import jwt
from pydantic import BaseModel, ValidationError

from rondo_gateway.domain.oidc import SignInFailed, SignInProblem
from rondo_gateway.ports import AuthorizationRequest, Redemption

TIMEOUT_S = 5.0
"""Of each step of a call: connecting, and waiting for the next part of the answer."""
DISCOVERY_KEPT = timedelta(minutes=10)
DISCOVERY_PATH = "/.well-known/openid-configuration"
SCOPE = "openid email"
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Those with a public key. ``none`` proves nothing, and whoever checks HS256 could also sign."""
KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
REQUIRED_CLAIMS = ("iss", "sub", "aud", "exp", "iat")


class Discovered(BaseModel):
    """What an issuer tells of itself (OpenID Connect Discovery 1.0), as far as it is needed."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    id_token_signing_alg_values_supported: list[str] = ["RS256"]
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]


@dataclass(frozen=True, slots=True)
class Client:
    """What Rondo is at the issuer. Without a ``secret`` it is a public client."""

    id: str
    secret: str | None = None


class HttpIssuer:
    """See :class:`rondo_gateway.ports.Issuer`."""

    def __init__(
        self, issuer: str, client: Client, http: httpx.AsyncClient, clock: Callable[[], datetime]
    ) -> None:
        self._issuer = issuer
        self._client = client
        self._http = http
        self._clock = clock
        self._known: tuple[datetime, Discovered] | None = None

    @property
    def client_id(self) -> str:
        """See :class:`Issuer`."""
        return self._client.id

    @property
    def name(self) -> str:
        """See :class:`Issuer`."""
        return self._issuer

    async def authorization_url(self, request: AuthorizationRequest) -> str:
        """See :class:`Issuer`."""
        endpoint = (await self._discovered()).authorization_endpoint
        query = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": request.redirect_uri,
            "scope": SCOPE,
            "state": request.state,
            "nonce": request.nonce,
            "code_challenge": request.code_challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    async def identity(self, redemption: Redemption) -> Mapping[str, Any]:
        """See :class:`Issuer`. What the ID token does not say of the email, the issuer is asked for."""
        discovered = await self._discovered()
        answer = await self._redeem(discovered, redemption)
        # Read anew each time: a key that the issuer withdraws counts no longer.
        keys = await self._json("GET", discovered.jwks_uri)
        claims = self._verified(answer.get("id_token"), keys, discovered)
        if "email" in claims or discovered.userinfo_endpoint is None:
            return claims
        return await self._with_user_info(claims, discovered.userinfo_endpoint, answer.get("access_token"))

    async def _discovered(self) -> Discovered:
        now = self._clock()
        if self._known is not None and now - self._known[0] < DISCOVERY_KEPT:
            return self._known[1]
        found = await self._json("GET", self._issuer.rstrip("/") + DISCOVERY_PATH)
        try:
            discovered = Discovered.model_validate(found)
        except ValidationError as error:
            raise _unreachable(
                f"its discovery document cannot be used: {error.error_count()} fields"
            ) from error
        if discovered.issuer != self._issuer:
            raise _unreachable(f"it calls itself {discovered.issuer!r}: set RONDO_OIDC_ISSUER to that")
        for each in (discovered.authorization_endpoint, discovered.token_endpoint, discovered.jwks_uri):
            if not is_confidential(each):
                raise _unreachable(f"its endpoint {each!r} is not https")
        self._known = now, discovered
        return discovered

    async def _redeem(self, discovered: Discovered, redemption: Redemption) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": redemption.code,
            "redirect_uri": redemption.redirect_uri,
            "code_verifier": redemption.code_verifier,
        }
        auth: httpx.BasicAuth | None = None
        methods = discovered.token_endpoint_auth_methods_supported
        if self._client.secret is None:
            form["client_id"] = self._client.id
        elif "client_secret_basic" in methods or "client_secret_post" not in methods:
            # Encoded first, as RFC 6749 (2.3.1) has it.
            auth = httpx.BasicAuth(quote_plus(self._client.id), quote_plus(self._client.secret))
        else:
            form |= {"client_id": self._client.id, "client_secret": self._client.secret}
        return await self._json("POST", discovered.token_endpoint, data=form, auth=auth)

    def _verified(self, token: object, keys: Mapping[str, Any], discovered: Discovered) -> dict[str, Any]:
        if not isinstance(token, str):
            _invalid("there is no ID token in the answer")
        try:
            header = jwt.get_unverified_header(token)
            algorithm = str(header.get("alg"))
            if algorithm not in ALGORITHMS.intersection(discovered.id_token_signing_alg_values_supported):
                _invalid(f"it is signed by {algorithm[:20]!r}, which is not taken")
            key = jwt.PyJWK(_key(keys, header.get("kid"), algorithm), algorithm=algorithm)
            # The times are checked by Rondo's clock, with all else that belongs to one sign-in.
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._client.id,
                issuer=self._issuer,
                options={
                    "require": list(REQUIRED_CLAIMS),
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
            raise SignInFailed(SignInProblem.IDENTITY_INVALID, f"the ID token: {error}") from error
        return claims

    async def _with_user_info(
        self, claims: Mapping[str, Any], endpoint: str, access_token: object
    ) -> Mapping[str, Any]:
        if not is_confidential(endpoint):
            raise _unreachable(f"its endpoint {endpoint!r} is not https")
        headers = {"Authorization": f"Bearer {access_token}"}
        said = await self._json("GET", endpoint, headers=headers)
        if said.get("sub") != claims["sub"]:  # OpenID Connect Core 1.0, 5.3.2
            _invalid("the userinfo is of somebody else")
        return {**claims, **{each: said[each] for each in ("email", "email_verified") if each in said}}

    async def _json(self, method: str, url: str, **options: Any) -> Mapping[str, Any]:
        headers = {"Accept": "application/json", **options.pop("headers", {})}
        try:
            answer = await self._http.request(method, url, headers=headers, **options)
            is_refused = HTTPStatus.BAD_REQUEST <= answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
            found = answer.json() if answer.is_success else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise _unreachable(f"{url}: {error!r}") from error
        if isinstance(found, dict):
            return found
        problem = (
            SignInProblem.PROVIDER_REFUSED
            if is_refused and method == "POST"
            else SignInProblem.PROVIDER_UNREACHABLE
        )
        raise SignInFailed(problem, f"{url} answered {answer.status_code}: {answer.text[:200]!r}")


def is_confidential(url: str) -> bool:
    """Whether nobody on the way can read what is sent to ``url``: by https, or on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(host)
    if parts.scheme != "http":
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key(keys: Mapping[str, Any], name: object, algorithm: str) -> dict[str, Any]:
    """The issuer's key that may have signed: by its name, or the only one that can."""
    found = keys.get("keys")
    usable = [
        each
        for each in (found if isinstance(found, list) else [])
        if isinstance(each, dict)
        and each.get("kty") == KEY_TYPES[algorithm[:2]]
        and each.get("use", "sig") == "sig"
        and each.get("alg", algorithm) == algorithm
        and (name is None or each.get("kid") == name)
    ]
    if len(usable) != 1:
        _invalid(f"{len(usable)} keys of the issuer could have signed it")
    return usable[0]


def _invalid(reason: str) -> Never:
    raise SignInFailed(SignInProblem.IDENTITY_INVALID, reason)


def _unreachable(reason: str) -> SignInFailed:
    return SignInFailed(SignInProblem.PROVIDER_UNREACHABLE, reason)
