"""Signing in by an OpenID Connect issuer: what is asked of it, and whom its answer proves.

OpenID Connect Core 1.0, the authorization code flow, with PKCE (RFC 7636). Whether the answer is the
issuer's, unchanged and for Rondo, the adapter has checked; here is what it must say.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from rondo_common.clock import milliseconds
from rondo_common.conversation import Value
from rondo_common.directory.entries import AgentEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.errors import RondoError
from rondo_gateway.domain.sign_in import derived

FLOW_TTL = timedelta(minutes=10)
"""How long signing in at the issuer may take."""
CLOCKS_APART = timedelta(seconds=60)
"""By how much the issuer's clock may differ from ours."""
EMAIL_LENGTH_MAX = 320


class SignInProblem(StrEnum):
    """Why signing in by the issuer failed, as the sign-in page is told."""

    NOT_SET_UP = "not-set-up"
    """This installation has no issuer."""
    WORKSPACE_UNKNOWN = "workspace-unknown"
    TOO_MANY_ATTEMPTS = "too-many-attempts"
    CANCELLED = "cancelled"
    """The person, or the issuer for them, said no."""
    EXPIRED = "expired"
    """It took too long, was begun in another browser, or was finished before."""
    PROVIDER_UNREACHABLE = "provider-unreachable"
    PROVIDER_REFUSED = "provider-refused"
    """The issuer does not take what Rondo asks: it is set up otherwise there."""
    IDENTITY_INVALID = "identity-invalid"
    """What the issuer said is not signed by it, not for this sign-in, or too old."""
    EMAIL_UNVERIFIED = "email-unverified"
    """The issuer does not vouch for the person's email address."""
    AGENT_UNKNOWN = "agent-unknown"
    """No agent of the workspace has the email address."""
    AGENT_AMBIGUOUS = "agent-ambiguous"
    """Several agents of the workspace have it."""
    UNAVAILABLE = "unavailable"
    """Something that Rondo stands on is out of reach."""


class SignInFailed(RondoError):
    """Signing in by the issuer failed. Tell ``problem`` on the sign-in page, and let them try again.

    ``reason`` is for the operator's log.
    """

    def __init__(self, problem: SignInProblem, reason: str = "") -> None:
        super().__init__(f"{problem}: {reason}" if reason else problem.value)
        self.problem = problem
        self.reason = reason


class KeptFlow(Value):
    """A sign-in under way. The secrets of it are its browser's alone."""

    browser_sha256: str
    return_to: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FlowSecrets:
    """What one sign-in is bound with, derived from a secret that its browser keeps."""

    browser_secret: str

    @property
    def browser_sha256(self) -> str:
        """What is kept of the browser's secret."""
        return hashlib.sha256(self.browser_secret.encode()).hexdigest()

    @property
    def nonce(self) -> str:
        """Comes back in the identity: it is of this sign-in."""
        return derived(self.browser_secret, "nonce")

    @property
    def code_verifier(self) -> str:
        """Shown when the code is redeemed: a code that somebody else got is of no use to them."""
        return derived(self.browser_secret, "code_verifier")

    @property
    def code_challenge(self) -> str:
        """What the issuer is told of the verifier (S256)."""
        digest = hashlib.sha256(self.code_verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def are_of(self, flow: KeptFlow) -> bool:
        """Whether the sign-in was begun in the browser that has this secret."""
        return hmac.compare_digest(self.browser_sha256, flow.browser_sha256)


def require_this_sign_in(claims: Mapping[str, Any], nonce: str, client_id: str, now: datetime) -> None:
    """Check what an identity (an ID token whose signature, issuer and audience are good) says of itself.

    Raises:
        SignInFailed: it is of another sign-in or for somebody else, too old, or not valid yet.
    """
    if not isinstance(claims.get("nonce"), str) or not hmac.compare_digest(
        str(claims["nonce"]).encode(), nonce.encode()
    ):
        raise SignInFailed(SignInProblem.IDENTITY_INVALID, "its nonce is of another sign-in")
    several = isinstance(claims.get("aud"), list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise SignInFailed(SignInProblem.IDENTITY_INVALID, "it was issued to another client (azp)")
    now_s, apart_s = milliseconds(now) / 1000, CLOCKS_APART.total_seconds()
    if not _number(claims, "exp") > now_s - apart_s:
        raise SignInFailed(SignInProblem.IDENTITY_INVALID, "it has expired")
    if _number(claims, "iat") > now_s + apart_s or _number(claims, "nbf", 0) > now_s + apart_s:
        raise SignInFailed(SignInProblem.IDENTITY_INVALID, "it is not valid yet: compare the clocks")


def verified_email(claims: Mapping[str, Any]) -> str:
    """The email address that the issuer vouches for. Raises ``SignInFailed`` without one."""
    email = claims.get("email")
    # Some issuers write the truth value as a text.
    is_verified = claims.get("email_verified") is True or claims.get("email_verified") == "true"
    if not isinstance(email, str) or not is_verified or not 0 < len(email) <= EMAIL_LENGTH_MAX:
        raise SignInFailed(SignInProblem.EMAIL_UNVERIFIED, "no email with email_verified true")
    return email


def agent_with_email(found: WorkspaceDirectory, email: str) -> AgentEntry | None:
    """The agent who has the email address, written in whatever case; None when nobody does.

    Raises:
        SignInFailed: several have it, so that nobody can say who it is.
    """
    wanted = _comparable(email)
    same = [each.entry for each in found.agents.values() if _comparable(each.entry.email) == wanted]
    if len(same) > 1:
        raise SignInFailed(SignInProblem.AGENT_AMBIGUOUS, f"{len(same)} agents have the email address")
    return same[0] if same else None


def _comparable(email: str) -> str:
    # Beyond ASCII there are letters that differ, and are one in small: those of different mailboxes.
    return email.lower() if email.isascii() else email


def _number(claims: Mapping[str, Any], name: str, default: float | None = None) -> float:
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SignInFailed(SignInProblem.IDENTITY_INVALID, f"its {name} is no time")
    return float(value)
