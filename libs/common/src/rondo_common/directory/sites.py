"""What a workspace says about its websites: whence they call, how the widget looks, how much is taken."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from rondo_common.clock import milliseconds
from rondo_common.conversation import Route, Value
from rondo_common.ids import WorkspaceId

SITE_KEY_PREFIX = "site_"
SITE_KEY_BYTES = 15
"""Of the hash: 24 letters and digits."""

ORIGIN_LENGTH_MAX = 300
ORIGINS_MAX = 1_000
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])"
_EXACT = re.compile(rf"(https?)://({_HOST})(?::(\d{{1,5}}))?")
_WILDCARD = re.compile(rf"https://\*\.{_LABEL}(?:\.{_LABEL})+(?::(\d{{1,5}}))?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def allowed_origin(text: str) -> str:
    """An origin as it is kept: as browsers write it.

    Raises:
        ValueError: it is neither an origin nor a wildcard for one host's subdomains.
    """
    origin = text.lower()
    for scheme, port in _DEFAULT_PORTS.items():
        if origin.startswith(f"{scheme}://"):
            origin = origin.removesuffix(f":{port}")  # Browsers leave it out.
    if _WILDCARD.fullmatch(origin) or _EXACT.fullmatch(origin):
        return origin
    raise ValueError(
        "must be an origin such as https://shop.example, or https://*.shop.example for its subdomains: "
        "no path, no slash at the end, a host in ASCII (xn--… for others)"
    )


def patterns_for(origin: str) -> Iterable[str]:
    """What ``allowed_origins`` could hold to allow ``origin``, as a browser sends it."""
    if not _EXACT.fullmatch(origin):
        return  # "null", for one: a sandbox or a file, which could be anybody's.
    yield origin
    scheme, _, host = origin.partition("://")
    while scheme == "https" and "." in host:
        host = host.partition(".")[2]
        yield f"https://*.{host}"


def is_allowed(origin: str, allowed: Iterable[str]) -> bool:
    """Whether pages of ``origin`` may call, by the workspace's ``allowed_origins``."""
    kept = frozenset(allowed)
    return any(pattern in kept for pattern in patterns_for(origin))


def _origin(text: str) -> str:
    try:
        return allowed_origin(text)
    except ValueError as error:
        raise PydanticCustomError("origin", "{detail}", {"detail": str(error)}) from None


AllowedOrigin = Annotated[str, StringConstraints(max_length=ORIGIN_LENGTH_MAX), AfterValidator(_origin)]
"""``https://shop.example``, or ``https://*.shop.example`` for every subdomain of it, but not itself."""


def site_key_of(workspace_id: WorkspaceId, created_at: datetime) -> str:
    """The public key by which a website's widget names its workspace.

    It follows from the workspace, so every one has it; one created later under the same id has another.
    It opens nothing by itself: it works from the allowed origins only.
    """
    digest = hashlib.sha256(f"site\x00{workspace_id}\x00{milliseconds(created_at)}".encode()).digest()
    return SITE_KEY_PREFIX + base64.b32encode(digest[:SITE_KEY_BYTES]).decode().lower()


WidgetField = Literal[
    "first_name",
    "last_name",
    "email",
    "job_title",
    "company",
    "phone",
    "country",
    "state",
    "city",
    "company_size",
    "industry",
]
"""What the widget can ask a visitor before the chat."""
_Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


MeetingUrl = Annotated[
    str, StringConstraints(max_length=2_000, pattern=r"^https?://[^\s/@\x00]+(/[^\s\x00]*)?$")
]
"""A page that browsers open."""


class WidgetSettings(Value):
    """How the chat widget looks, and what it asks before a chat. Public."""

    title: _Line = "Chat with us"
    greeting: Annotated[str, StringConstraints(max_length=1_000, pattern=r"^[^\x00]*$")] = (
        "Hello! How can we help?"
    )
    colour: Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")] = "#2563eb"
    fields: tuple[WidgetField, ...] = ("first_name", "email")
    """Asked in this order. Those that the website has signed already need not be asked."""
    required: tuple[WidgetField, ...] = ()
    route: Route | None = None
    """Where the widget's chats go; None: round robin over everybody."""
    ratings: bool = True
    """Whether the widget asks how good a chat was, once it is over."""
    meeting_url: MeetingUrl | None = None
    """Where a visitor can book a meeting when nobody is there and the fallback offers one."""

    @model_validator(mode="after")
    def _asks_what_it_requires(self) -> WidgetSettings:
        if len(set(self.fields)) != len(self.fields):
            raise PydanticCustomError("fields_twice", "fields must not name one twice")
        if not set(self.required) <= set(self.fields):
            raise PydanticCustomError(
                "required_unasked", "required must be among the fields that are asked"
            )
        return self


PerMinute = Annotated[int, Field(ge=0, le=1_000_000)]
"""So many a minute, all of them at once if need be, then evenly; 0: no limit."""


class RateLimits(Value):
    """How much is taken before callers are told to wait (429)."""

    visitor_messages_per_minute: PerMinute = 30_000
    """Of each visitor, in all their conversations."""
    visitor_chat_requests_per_minute: PerMinute = 60
    """Of each visitor in the widget."""
    widget_chat_requests_per_minute: PerMinute = 6_000
    """Of all visitors in the widget together."""
    sessions_per_minute: PerMinute = 6_000
    """Visitor sessions begun in the widget, together."""
    address_sessions_per_minute: PerMinute = 600
    """Of each internet address. Many visitors can share one."""
    backend_messages_per_minute: PerMinute = 0
    """Messages posted with the workspace's API keys."""
    backend_chat_requests_per_minute: PerMinute = 0
    """Chat requests made with the workspace's API keys."""


class IdentitySalt(Value):
    """What one of a workspace's identity secrets is derived from. Knowing it is not knowing the secret."""

    salt: str
    created_at: datetime


class IdentityEntry(Value):
    """The identity secrets that are valid, newest first."""

    salts: tuple[IdentitySalt, ...]
