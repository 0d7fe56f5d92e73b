"""Sessions of visitors in a website's widget: what their tokens say, and how long they last."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from rondo_common.conversation import Value
from rondo_common.ids import ExternalId, VisitorId
from rondo_gateway.domain.limits import Body

SESSION_TOKEN_TTL_S = 15 * 60
SESSION_KEPT = timedelta(days=30)
"""From its first token on. After that a new session begins."""
RENEWABLE_S = 24 * 60 * 60
"""For how long after its end a token still renews its session: the visitor's computer may have slept."""
SITE_KEY_LENGTH_MAX = 100
IDENTITY_LENGTH_MAX = 4_096


class VisitorSession(Value):
    """What a session's token says besides whose it is.

    ``profile`` holds the fields that the website signed; ``is_known`` tells a visitor whom it knows from
    an anonymous one. ``former_id`` is the anonymous id they had before they were known.
    """

    since: datetime
    is_known: bool = False
    former_id: VisitorId | None = None
    profile: dict[str, Any] = Field(default_factory=dict)

    def is_over(self, now: datetime) -> bool:
        """Whether it cannot be renewed any more."""
        return now >= self.since + SESSION_KEPT


class SessionBody(Body):
    """A new session. `site_key` is the workspace's, from `GET /v1/workspace`.

    `visitor_id` is the one of an earlier session: its last token, sent along as bearer, proves it.
    `identity` is a JSON Web Token of the website's backend that says who the visitor is.
    """

    site_key: Annotated[str, StringConstraints(min_length=1, max_length=SITE_KEY_LENGTH_MAX)]
    visitor_id: ExternalId | None = None
    identity: Annotated[str, StringConstraints(min_length=1, max_length=IDENTITY_LENGTH_MAX)] | None = None
