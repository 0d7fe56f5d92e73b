"""Reading CSV that comes in pieces, with everything that can be wrong with it."""

from __future__ import annotations

import csv
import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rondo_gateway.domain.csv_records import LINE_LENGTH_MAX, RECORD_LINES_MAX, CsvRecords, Record

texts = st.text(st.sampled_from('ab ",\n\r\x00é\u202e😀'), max_size=8) | st.text(
    st.characters(codec="utf-8", exclude_characters="\ufeff"), max_size=8
)
tables = st.lists(st.lists(texts, min_size=2, max_size=4), max_size=6)
cuts = st.lists(st.integers(0, 400), max_size=5)


def records_of(*pieces: bytes) -> list[Record]:
    reader = CsvRecords()
    found = [record for piece in pieces for record in reader.feed(piece)]
    return found + list(reader.finish())


def written(rows: list[list[str]], line_end: str, quoting: int) -> bytes:
    if any("\r" in text for row in rows for text in row):
        quoting = csv.QUOTE_ALL  # The writer quotes only those line ends that it uses itself.
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end, quoting=quoting).writerows(rows)  # type: ignore[arg-type]  # one of csv.QUOTE_…
    return text.getvalue().encode()


def cut(whole: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(min(place, len(whole)) for place in places), len(whole)]
    return [whole[start:end] for start, end in itertools.pairwise(bounds)]


@given(
    tables,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    cuts,
    st.booleans(),
)
def test_what_was_written_is_read_again_however_it_is_cut(
    rows: list[list[str]], line_end: str, quoting: int, places: list[int], with_mark: bool
) -> None:
    whole = (b"\xef\xbb\xbf" if with_mark else b"") + written(rows, line_end, quoting)
    found = records_of(*cut(whole, places))
    assert [record.fields for record in found] == [tuple(row) for row in rows]
    assert all(record.defect is None for record in found)


@given(tables)
def test_a_record_is_numbered_by_its_first_line(rows: list[list[str]]) -> None:
    line, expected = 1, []
    for row in rows:
        expected.append(line)
        line += written([row], "\n", csv.QUOTE_ALL).count(b"\n")
    assert [record.line for record in records_of(written(rows, "\n", csv.QUOTE_ALL))] == expected


@given(st.binary(max_size=300) | st.text(st.sampled_from('a,"\r\n'), max_size=60).map(str.encode), cuts)
def test_nothing_at_all_breaks_it_and_no_line_is_told_twice(whole: bytes, places: list[int]) -> None:
    found = records_of(*cut(whole, places))
    assert found == records_of(whole)
    lines = [record.line for record in found]
    assert lines == sorted(set(lines))
    assert not lines or lines[-1] <= whole.count(b"\n") + 1


@given(
    st.lists(
        st.sampled_from(['"open,b', 'a"b,c', '"a"b,c', '"closed",b', "plain,b", '"x"",y', ""]), max_size=12
    )
)
def test_a_forgotten_quote_costs_its_own_line_and_never_a_plain_one_after_it(lines: list[str]) -> None:
    """Unless the quote is closed further down, by one that stands where a field may end."""
    found = {record.line: record for record in records_of("\n".join(lines).encode())}
    for number, line in enumerate(lines, start=1):
        if line == "plain,b" and number in found:
            assert found[number].fields == ("plain", "b")
    if '"x"",y' not in lines:  # The only one here that could close another's quote.
        plain = {number for number, line in enumerate(lines, start=1) if line == "plain,b"}
        assert plain <= found.keys()


def test_a_carriage_return_in_the_middle_costs_its_line() -> None:
    bad, good = records_of(b"a\rb,c\nd,e\n")
    assert (bad.line, good.fields) == (1, ("d", "e"))
    assert "carriage return" in (bad.defect or "")


def test_blank_lines_are_passed_over_and_counted() -> None:
    found = records_of(b'a,b\n\n  \r\n""\n\nc,d\n,\n')
    assert found == [Record(1, ("a", "b")), Record(6, ("c", "d")), Record(7, ("", ""))]


def test_the_last_line_needs_no_end() -> None:
    assert records_of(b"a,b\nc,d") == [Record(1, ("a", "b")), Record(2, ("c", "d"))]
    assert records_of(b'a,"b') == [Record(1, defect="a quoted field does not end")]


def test_a_quote_that_is_never_closed_is_given_up_after_a_while() -> None:
    good = [f"a{number},b" for number in range(RECORD_LINES_MAX + 5)]
    reader = CsvRecords()
    found = list(reader.feed("\n".join(['"oops,b', *good, ""]).encode()))
    assert found[0] == Record(1, defect="a quoted field does not end")
    assert [record.fields[0] for record in found[1:]] == [f"a{number}" for number in range(len(good))]
    assert reader.lines == len(good) + 1


def test_a_line_without_end_is_not_kept_in_memory() -> None:
    reader = CsvRecords()
    for _ in range(100):
        assert list(reader.feed(b"x" * LINE_LENGTH_MAX)) == []
        assert len(reader._rest) <= LINE_LENGTH_MAX + 1
    (defect, good) = list(reader.feed(b"\na,b\n"))
    assert (defect.line, defect.fields) == (1, ())
    assert "characters" in (defect.defect or "")
    assert good == Record(2, ("a", "b"))


@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80", b"\xc3", "é".encode("latin-1")])
def test_bytes_that_are_no_utf_8_stay_in_their_own_line(bad: bytes) -> None:
    first, second, third = records_of(b"a,b\nx" + bad + b",b\nc,d\n")
    assert (first.fields, third.fields) == (("a", "b"), ("c", "d"))
    assert any("\ud800" <= character <= "\udfff" for character in second.fields[0])
