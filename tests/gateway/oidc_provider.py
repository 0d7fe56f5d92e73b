"""An OpenID Connect provider on loopback: Authlib's authorization server, which a test can make lie.

It asks nobody: whoever comes is the test's person. Authorization code flow, PKCE (S256) required.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

import flask
import jwt
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.models import ClientMixin
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from rondo_common.system_clock import utc_now

HOST = "127.0.0.1"
CLIENT_ID = "rondo"
CLIENT_SECRET = "s%cret of rondo"
"""With characters that must be encoded on the way."""
LIVE_S = 3600
"""How long what it says counts."""
STOP_DEADLINE_S = 30.0

Person = dict[str, Any]
Claims = dict[str, Any]


@dataclass
class Behaviour:
    """How the provider is to behave; each test begins with a good one."""

    person: Person | None = None
    """Who comes; None: they say no."""
    tells_email_in_token: bool = True
    lies: Claims = field(default_factory=dict)
    """What the identity says instead."""
    forge: Callable[[Claims], str] | None = None
    """Makes the identity of its claims, instead of the provider's key."""
    userinfo_sub: str | None = None
    algorithm: str = "ES256"
    auth_methods: tuple[str, ...] = ("client_secret_basic", "client_secret_post")
    calls_itself: str | None = None
    is_broken: bool = False
    seen_methods: list[str] = field(default_factory=list)


@dataclass
class _Code:
    code: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> None:
        return None

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class _Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """Rondo, as it is registered here."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.endswith("/v1/oidc/callback")

    def check_client_secret(self, secret: str) -> bool:
        return unquote_plus(secret) == CLIENT_SECRET  # As RFC 6749 has it; Authlib leaves that to us.

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        assert endpoint == "token"
        self._provider.behaviour.seen_methods.append(method)
        return method in self._provider.behaviour.auth_methods

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Provider:
    """The provider. ``issuer`` is what it is called once it is served."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.issuer = ""
        self.clock: Callable[[], datetime] = utc_now
        self.keys: dict[str, ECKey | RSAKey] = {
            "ES256": ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"}, private=True),
            "RS256": RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}, private=True),
        }
        self.codes: dict[str, _Code] = {}
        self.app = flask.Flask(__name__)
        self._server = AuthorizationServer(
            self.app, query_client=self._find_client, save_token=lambda *_: None
        )
        self._server.register_grant(_grant(self), [_identity(self), CodeChallenge(required=True)])
        for path, view in (
            ("/.well-known/openid-configuration", self._describe),
            ("/authorize", self._authorize),
            ("/jwks", self._tell_keys),
            ("/userinfo", self._tell_person),
        ):
            self.app.add_url_rule(path, path, view)
        self.app.add_url_rule("/token", "/token", self._issue, methods=["POST"])

    def _find_client(self, client_id: str) -> _Client | None:
        return _Client(self) if client_id == CLIENT_ID else None

    def _describe(self) -> Any:
        if self.behaviour.is_broken:
            return "out of order", 500
        return flask.jsonify(
            issuer=self.behaviour.calls_itself or self.issuer,
            authorization_endpoint=f"{self.issuer}/authorize",
            token_endpoint=f"{self.issuer}/token",
            jwks_uri=f"{self.issuer}/jwks",
            userinfo_endpoint=f"{self.issuer}/userinfo",
            response_types_supported=["code"],
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=list(self.keys),
            token_endpoint_auth_methods_supported=list(self.behaviour.auth_methods),
        )

    def _authorize(self) -> Any:
        try:
            grant = self._server.get_consent_grant(end_user=self.behaviour.person)
        except OAuth2Error as error:
            return self._server.handle_response(*error())
        return self._server.create_authorization_response(grant=grant, grant_user=self.behaviour.person)

    def _issue(self) -> Any:
        return self._server.create_token_response()

    def _tell_keys(self) -> Any:
        return flask.jsonify(KeySet(list(self.keys.values())).as_dict(private=False))

    def _tell_person(self) -> Any:
        person = dict(self.behaviour.person or {})
        return flask.jsonify({**person, "sub": self.behaviour.userinfo_sub or person["sub"]})


def _grant(provider: Provider) -> type[Any]:
    class Grant(AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")

        def save_authorization_code(self, code: str, request: Any) -> None:
            asked = request.payload.data
            provider.codes[code] = _Code(
                code,
                request.payload.redirect_uri,
                request.payload.scope,
                asked.get("nonce"),
                asked.get("code_challenge"),
                asked.get("code_challenge_method"),
            )

        def query_authorization_code(self, code: str, client: _Client) -> _Code | None:
            assert client.get_client_id() == CLIENT_ID
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: _Code) -> None:
            del provider.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: _Code) -> Person | None:
            assert authorization_code.code in provider.codes
            return provider.behaviour.person

    return Grant


def _identity(provider: Provider) -> Any:
    class Identity(OpenIDCode):  # type: ignore[misc]  # Authlib has no types
        def exists_nonce(self, nonce: str, request: Any) -> bool:
            assert request.payload.client_id == CLIENT_ID
            return any(each.nonce == nonce for each in provider.codes.values())

        def get_client_algorithm(self, client: Any) -> str:
            assert client is not None
            return provider.behaviour.algorithm

        def resolve_client_private_key(self, client: Any) -> Any:
            assert client is not None
            return provider.keys[provider.behaviour.algorithm]

        def get_encode_header(self, client: Any) -> dict[str, str]:
            algorithm = self.get_client_algorithm(client)
            return {"alg": algorithm, "kid": str(provider.keys[algorithm].kid)}

        def get_client_claims(self, client: Any) -> Claims:
            now_s = int(provider.clock().timestamp())
            times = {"iat": now_s, "exp": now_s + LIVE_S, "auth_time": now_s}
            return {"iss": provider.issuer, "aud": [client.get_client_id()], **times}

        def generate_user_info(self, user: Person, scope: str) -> Claims:
            assert "openid" in scope.split()
            told = user if provider.behaviour.tells_email_in_token else {"sub": user["sub"]}
            return {**told, **provider.behaviour.lies}

        def encode_id_token(self, token: Any, request: Any) -> Any:
            genuine = super().encode_id_token(token, request)
            forge = provider.behaviour.forge
            return genuine if forge is None else forge(_read(genuine))

    return Identity(require_nonce=True)


def _read(token: str) -> Claims:
    claims: Claims = jwt.decode(token, options={"verify_signature": False})
    return claims


class _Quietly(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - as werkzeug names it
        """Nobody reads it."""


@contextlib.contextmanager
def served_provider() -> Iterator[Provider]:
    """A provider that listens; stopped at the end."""
    provider = Provider()
    server = make_server(HOST, 0, provider.app, threaded=False, request_handler=_Quietly)
    provider.issuer = f"http://{HOST}:{server.server_port}"
    with _serving(server):
        yield provider


@contextlib.contextmanager
def _serving(server: BaseWSGIServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(STOP_DEADLINE_S)
