"""What a website signs of a visitor it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from rondo_common.ids import VisitorId
from rondo_gateway.domain.chat_request import VisitorBody
from rondo_gateway.domain.refusals import Invalid, NotAuthenticated

IDENTITY_LIFE_MAX = timedelta(hours=24)
CLOCK_SKEW_S_MAX = 60
"""By how much the website's clock may be ahead."""
PROFILE_FIELDS = frozenset(VisitorBody.model_fields) - {"id"}


@dataclass(frozen=True, slots=True)
class Identity:
    """A visitor, as the website that signed this knows them."""

    visitor_id: VisitorId
    profile: Mapping[str, Any]


def identity_of(claims: Mapping[str, Any], now: datetime) -> Identity:
    """What the claims of a token with a good signature say. Claims of other meanings are passed over.

    Raises:
        NotAuthenticated: it has expired, or would live for too long.
        Invalid: a field is not one that a visitor can have.
    """
    _require_fresh(claims.get("exp"), now)
    fields = {name: value for name, value in claims.items() if name in PROFILE_FIELDS}
    try:
        visitor = VisitorBody.model_validate({**fields, "id": claims.get("sub")})
    except ValidationError as error:
        first = error.errors()[0]
        claim = "sub" if first["loc"][0] == "id" else ".".join(map(str, first["loc"]))
        raise Invalid("/identity", f"the claim {claim}: {first['msg']}") from None
    if visitor.id is None:
        raise NotAuthenticated("The identity has no claim sub. Sign one that says whose it is.")
    profile = visitor.model_dump(exclude={"id"}, exclude_defaults=True)
    return Identity(VisitorId(visitor.id), profile)


def _require_fresh(exp: object, now: datetime) -> None:
    if isinstance(exp, bool) or not isinstance(exp, int | float):
        raise NotAuthenticated("The identity has no claim exp. Sign one that expires.")
    left_s = exp - now.timestamp()
    if left_s <= 0:
        raise NotAuthenticated("The identity has expired. Sign a new one.")
    if left_s > IDENTITY_LIFE_MAX.total_seconds() + CLOCK_SKEW_S_MAX:
        raise NotAuthenticated("The identity expires more than 24 hours ahead. Sign one for less.")
