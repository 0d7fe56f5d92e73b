"""What a caller says about the version they know (``If-Match``, ``If-None-Match``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rondo_gateway.domain.refusals import PreconditionFailed

Versions = frozenset[int] | Literal["any"]
"""Some versions, or ``*``: any there may be."""


@dataclass(frozen=True, slots=True)
class Preconditions:
    """Both None: the caller asks for nothing."""

    match: Versions | None = None
    none_match: Versions | None = None

    def __bool__(self) -> bool:
        return self.match is not None or self.none_match is not None

    def require(self, name: str, version: int | None) -> None:
        """Go on only if they hold for what is there: ``version``, None when nothing is.

        Raises:
            PreconditionFailed: they do not; its text says what to do.
        """
        if self.match is not None and not _covers(self.match, version):
            raise PreconditionFailed(_changed(name, version))
        if self.none_match is not None and _covers(self.none_match, version):
            raise PreconditionFailed(
                f"There is the {name} already, in version {version}, and If-None-Match excludes that. "
                "Take another id, or change what is there: without If-None-Match."
            )

    def is_known(self, version: int) -> bool:
        """Whether the caller, who reads, has this version already."""
        return self.none_match is not None and _covers(self.none_match, version)


def _covers(versions: Versions, version: int | None) -> bool:
    return version is not None and (versions == "any" or version in versions)


def _changed(name: str, version: int | None) -> str:
    if version is None:
        return f"There is no {name}, and If-Match asks for one. To create it, leave If-Match out."
    return (
        f"The {name} is in version {version} now, not in the one If-Match names. Read it again, apply the "
        "change to what you find, and send that with the ETag you read."
    )
