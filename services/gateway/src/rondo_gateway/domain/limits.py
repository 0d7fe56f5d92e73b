"""How large requests may be, and what text may hold. Lengths are in characters (code points)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

BODY_BYTES_MAX = 64 * 1024
TEXT_LENGTH_MAX = 1_000
NAME_LENGTH_MAX = 200
URL_LENGTH_MAX = 2_000
MESSAGE_LENGTH_MAX = 4_000
COMMENT_LENGTH_MAX = 1_000
"""Of a rating's comment."""
QUERY_LENGTH_MAX = 200
"""Of a search in what was said."""
TRANSCRIPT_MAILS_MAX = 5
TRANSCRIPT_MAILS_WINDOW_S = 24 * 60 * 60
"""So many transcripts of one conversation are sent by email in that time."""
CLIENT_ID_LENGTH_MAX = 64
"""Of an ``Idempotency-Key`` and a ``client_message_id``."""
SCALARS_MAX = 50
"""Attributes of a visitor, and answers, each."""
SCALAR_NAME_LENGTH_MAX = 100
INTEGER_MAX = 2**63 - 1
PRIORITY_MAX = 1_000
CAPACITY_MAX = 10_000
POOL_AGENTS_MAX = 5_000
"""Agents of a team or a rule."""
RULE_PRIORITY_MAX = 1_000_000
RULES_ORDERED_MAX = 10_000
SCHEDULE_BLOCKS_MAX = 100
ACCOUNT_DOMAINS_MAX = 1_000
SHORTCUT_LENGTH_MAX = 32
"""Of a saved reply."""
IMPORT_BYTES_MAX = 32 * 1024 * 1024
IMPORT_LINES_MAX = 200_000
PAGE_SIZE_DEFAULT = 50
PAGE_SIZE_MAX = 200
AGENT_TOKEN_TTL_S_DEFAULT = 3_600
AGENT_TOKEN_TTL_S_MAX = 86_400
VISITOR_TOKEN_TTL_S = 86_400


class Body(BaseModel):
    """A request body: nothing unknown, nothing converted (``"5"`` is no number), nothing changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def storable(text: str) -> str:
    """``text``, if every store on its way can keep it.

    PostgreSQL's text cannot hold NUL. Lone surrogates never come this far: pydantic refuses them.
    """
    if "\x00" in text:
        raise PydanticCustomError("nul_character", "must not contain the NUL character")
    return text


def scalar(value: object) -> object:
    """``value``, if it is a text, a finite number, a truth value or null, within the limits."""
    match value:
        case None | bool():
            return value
        case int() if abs(value) <= INTEGER_MAX:
            return value
        case float() if abs(value) < float("inf"):
            return value
        case str() if len(value) <= TEXT_LENGTH_MAX and _is_unicode(value):
            return storable(value)
    raise PydanticCustomError(
        "scalar",
        "must be a text of at most {length} characters, a number within 64 bits, true, false or null",
        {"length": TEXT_LENGTH_MAX},
    )


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _well_named(values: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in values:
        if not 1 <= len(name) <= SCALAR_NAME_LENGTH_MAX:
            raise PydanticCustomError(
                "scalar_name",
                "names must have 1 to {length} characters",
                {"length": SCALAR_NAME_LENGTH_MAX},
            )
        storable(name)
    return values


Text = Annotated[str, StringConstraints(max_length=TEXT_LENGTH_MAX), AfterValidator(storable)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LENGTH_MAX), AfterValidator(storable)]
Url = Annotated[str, StringConstraints(min_length=1, max_length=URL_LENGTH_MAX), AfterValidator(storable)]
_SCALAR_SCHEMA = {"anyOf": [{"type": each} for each in ("string", "number", "boolean", "null")]}
Scalars = Annotated[
    dict[str, Annotated[Any, AfterValidator(scalar), WithJsonSchema(_SCALAR_SCHEMA)]],
    Field(max_length=SCALARS_MAX),
    AfterValidator(_well_named),
]
