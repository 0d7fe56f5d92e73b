"""Domains of e-mail addresses, written one way, so that they compare equal to a visitor's."""

from __future__ import annotations

import re

from pydantic import validate_email
from pydantic_core import PydanticCustomError

DOMAIN_LENGTH_MAX = 253
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")
_PUNYCODE = "xn--"


def normal_domain(text: str) -> str:
    """``text`` as the addresses of visitors have it: in lower case, international names in Unicode.

    Raises:
        ValueError: it is no domain.
    """
    domain = text.lower()
    if len(domain) <= DOMAIN_LENGTH_MAX:
        if _PLAIN.fullmatch(domain) and _PUNYCODE not in domain:
            return domain
        if not domain.isascii() or _PUNYCODE in domain:
            return _international(domain)
    raise ValueError(_DETAIL)


_DETAIL = "must be the domain of an e-mail address, such as example.com"


def _international(domain: str) -> str:
    if "@" in domain or any(character.isspace() for character in domain):
        raise ValueError(_DETAIL)
    try:
        # Visitors' addresses come through the same function.
        _, address = validate_email(f"x@{domain}")
    except PydanticCustomError:
        raise ValueError(_DETAIL) from None
    return address.rpartition("@")[2]
