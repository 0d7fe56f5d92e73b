"""An entry with its version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Defined(Generic[T]):
    """An entry, and the offset of the record that defined it: its version."""

    entry: T
    offset: int
