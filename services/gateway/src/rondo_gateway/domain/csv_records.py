"""CSV (RFC 4180) that comes in pieces: its records one by one, each with the line it begins in."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

LINE_LENGTH_MAX = 64 * 1024
RECORD_LINES_MAX = 100
"""A quoted field that goes on for more lines than this was not meant to: its quote is a mistake."""

_QUOTED = r'[^"]*+(?:""[^"]*+)*+"[^,]*+'
"""The rest of a quoted field from inside its quotes, up to the comma."""
_FIELD = rf'(?:"{_QUOTED}|[^",][^,]*+|)'
_REST = rf"(?:,{_FIELD})*+"
_COMPLETE = re.compile(_FIELD + _REST)
"""A line that ends outside of quotes, where it begins outside."""
_COMPLETED = re.compile(_QUOTED + _REST)
"""A line that ends outside of quotes, where it begins inside."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its fields, or why they cannot be read. ``line`` counts from 1."""

    line: int
    fields: tuple[str, ...] = ()
    defect: str | None = None


class CsvRecords:
    """Reads records out of the pieces it is fed. Blank lines are passed over.

    A record that cannot be read costs its first line only: reading goes on with the next line, so that
    one forgotten quote does not swallow what comes after it.
    """

    def __init__(self) -> None:
        # Bytes that are no UTF-8 become lone surrogates, so that only their own line is lost.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="surrogateescape")
        self._rest = ""
        self._open: list[str] = []
        """The lines of a record whose quoted field has not ended yet."""
        self._line = 1
        """The number of the first open line, or of the next one."""

    @property
    def lines(self) -> int:
        """How many lines were read."""
        return self._line - 1 + len(self._open)

    def feed(self, piece: bytes) -> Iterator[Record]:
        """The records that end in the next piece."""
        *lines, rest = (self._rest + self._decoder.decode(piece)).split("\n")
        # What is too long is not kept: it is enough to know that it is.
        self._rest = rest[: LINE_LENGTH_MAX + 1]
        for line in lines:
            yield from self._read(line + "\n")

    def finish(self) -> Iterator[Record]:
        """The records that end with the text."""
        last = self._rest + self._decoder.decode(b"", final=True)
        if last:
            yield from self._read(last)
        while self._open:
            yield from self._give_up("a quoted field does not end")

    def _read(self, line: str) -> Iterator[Record]:
        pattern = _COMPLETED if self._open else _COMPLETE
        self._open.append(line)
        if len(line) > LINE_LENGTH_MAX:
            yield from self._give_up(f"the line has more than {LINE_LENGTH_MAX} characters")
        elif pattern.fullmatch(line):
            yield from self._parse()
        elif len(self._open) >= RECORD_LINES_MAX:
            yield from self._give_up("a quoted field does not end")

    def _parse(self) -> Iterator[Record]:
        try:
            fields = next(csv.reader(self._open, strict=True), [])
        except csv.Error as error:
            # The module's own words are about its arguments.
            is_stray = "new-line character" in str(error)
            reason = "a carriage return stands outside of quotes" if is_stray else str(error)
            yield from self._give_up(f"this is no CSV: {reason}")
            return
        line = self._line
        self._take(len(self._open))
        if len(fields) > 1 or any(each.strip() for each in fields):
            yield Record(line, tuple(fields))

    def _give_up(self, defect: str) -> Iterator[Record]:
        """Pass over the first open line, and read the others anew."""
        again = self._open[1:]
        yield Record(self._line, defect=defect)
        self._take(len(self._open))
        self._line -= len(again)
        for line in again:
            yield from self._read(line)

    def _take(self, count: int) -> None:
        self._open.clear()
        self._line += count
