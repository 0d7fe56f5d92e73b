"""Importing target accounts: which lines are taken, what they make, and how it is told."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rondo_common.directory.accounts import Accounts, normal_company
from rondo_common.directory.entries import AccountEntry, AgentEntry
from rondo_common.ids import AccountId
from rondo_gateway.domain.account_import import (
    AccountLines,
    ImportedCompany,
    Owners,
    accounts_to_write,
    derived_account_id,
)
from rondo_gateway.domain.csv_records import CsvRecords
from rondo_gateway.domain.limits import ACCOUNT_DOMAINS_MAX, IMPORT_BYTES_MAX, IMPORT_LINES_MAX
from rondo_gateway.domain.refusals import Invalid
from rondo_gateway.ports import WRITE_ENTRIES_MAX
from tests.gateway.fake_world import ACME, ACME_KEY, BOB, GRACE, FakeWorld, bearer, json_of

KEY = bearer(ACME_KEY)
CSV = {**KEY, "Content-Type": "text/csv"}
HEADER = "company,domain,owner\n"
AGENTS = [
    AgentEntry(id=GRACE, name="Grace", email="Grace@Example.com"),
    AgentEntry(id=BOB, name="Bob", email="shared@example.com"),
    AgentEntry(id="eve", name="Eve", email="shared@example.com"),
]

names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12).filter(
    str.strip
)
good_rows = st.tuples(
    names, st.integers(0, 99).map("d{}.example.com".format), st.sampled_from([GRACE, BOB])
)
Row = tuple[str, ...]
defects: dict[str, Callable[[Row], Row]] = {
    "has 2 columns": lambda row: row[:2],
    "has 4 columns": lambda row: (*row, "more"),
    "company is empty": lambda row: (" ", *row[1:]),
    "domain is empty": lambda row: (row[0], "", row[2]),
    "owner is empty": lambda row: (*row[:2], "\t"),
    "must be the domain": lambda row: (row[0], "not a domain", row[2]),
    "there is no agent": lambda row: (*row[:2], "ghost"),
    "several agents": lambda row: (*row[:2], "Shared@example.com"),
    "more than 200 characters": lambda row: ("x" * 201, *row[1:]),
    "NUL": lambda row: (f"{row[0]}\x00", *row[1:]),
}
bad_rows = st.builds(
    lambda row, reason: (defects[reason](row), reason), good_rows, st.sampled_from(sorted(defects))
)


def read(text: str | bytes) -> AccountLines:
    lines, records = AccountLines(Owners(AGENTS)), CsvRecords()
    whole = text.encode() if isinstance(text, str) else text
    for record in [*records.feed(whole), *records.finish()]:
        lines.take(record)
    return lines


def csv_of(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


@given(st.lists(st.one_of(good_rows.map(lambda row: (row, None)), bad_rows), max_size=12))
def test_every_bad_line_is_told_with_its_number_and_reason_and_every_good_one_is_taken(
    rows: list[tuple[tuple[str, ...], str | None]],
) -> None:
    text, line, expected = HEADER, 2, {}
    owners: dict[str, str] = {}
    companies: dict[str, str] = {}
    good = 0
    for row, reason in rows:
        written = csv_of([row])
        if reason is None:
            company, domain, owner = normal_company(row[0].strip()), row[1], row[2]
            if owners.get(company, owner) != owner:
                reason = "another owner"  # noqa: PLW2901 - what a good line turns out to be
            elif companies.get(domain, company) != company:
                reason = "another company"  # noqa: PLW2901 - as above
            else:
                owners[company], companies[domain] = owner, company
                good += 1
        if reason is not None:
            expected[line] = reason
        text += written
        line += written.count("\n")
    lines = read(text)
    assert lines.imported == good
    assert [each.line for each in lines.rejected] == list(expected)
    for each in lines.rejected:
        assert expected[each.line] in each.reason
    assert {name: each.owner_id for name, each in lines.companies.items()} == owners
    domains = {domain: name for name, each in lines.companies.items() for domain in each.domains}
    assert domains == companies


@pytest.mark.parametrize(
    "header",
    [
        "company,domain,owner",
        "OWNER, Company ,domain",
        '"domain","owner","company"',
        "\ufeffcompany,domain,owner",
        "\n\ncompany,domain,owner",
    ],
)
def test_the_header_may_come_in_any_order_and_case(header: str) -> None:
    assert read(header + "\r\n").rejected == []


@pytest.mark.parametrize(
    "text",
    [
        "company,domain\n",
        "company;domain;owner\n",
        "Acme,acme.com,grace\n",
        "company,domain,owner,x\n",
        "company,company,owner\n",
        '"company,domain,owner\n',
        b"\xff,domain,owner\n",
    ],
)
def test_another_header_is_refused_with_the_one_there_must_be(text: str | bytes) -> None:
    with pytest.raises(Invalid, match="company,domain,owner"):
        read(text)


def test_an_owner_is_named_by_id_or_address() -> None:
    lines = read(HEADER + "A,a.com,grace\nB,b.com,GRACE@example.COM\nC,c.com,Grace\n")
    assert [each.owner_id for each in lines.companies.values()] == [GRACE, GRACE]
    assert [(each.line, "'Grace'" in each.reason) for each in lines.rejected] == [(4, True)]


def test_what_spans_lines_and_holds_quotes_is_one_company() -> None:
    lines = read(HEADER + '"Example,\r\n ""Inc.""",example.com,grace\r\nplain,b.com,bob\r\n')
    assert [each.name for each in lines.companies.values()] == ['Example,\r\n "Inc."', "plain"]


def test_a_company_has_an_end_to_its_domains() -> None:
    rows = [("A", f"d{number}.com", "bob") for number in range(ACCOUNT_DOMAINS_MAX + 1)]
    lines = read(HEADER + csv_of(rows))
    assert lines.imported == ACCOUNT_DOMAINS_MAX
    assert [each.line for each in lines.rejected] == [ACCOUNT_DOMAINS_MAX + 2]


def test_a_company_that_has_an_account_keeps_its_id_and_domains() -> None:
    accounts = Accounts()
    accounts.put(AccountEntry(id="mine", company="Example  Inc", domains=("a.com",), owner_id=GRACE), 1)
    (merged,) = accounts_to_write(
        accounts, [ImportedCompany("EXAMPLE INC", BOB, {"b.com": None, "a.com": None})]
    )
    assert merged == AccountEntry(
        id="mine", company="Example  Inc", domains=("a.com", "b.com"), owner_id=BOB
    )
    accounts.put(merged, 2)
    assert accounts_to_write(accounts, [ImportedCompany("example inc", BOB, {"a.com": None})]) == []


def test_an_id_that_another_company_has_by_now_is_not_taken_from_it() -> None:
    accounts = Accounts()
    taken = derived_account_id("Example")
    accounts.put(AccountEntry(id=taken, company="Renamed", owner_id=GRACE), 1)
    (entry,) = accounts_to_write(accounts, [ImportedCompany("Example", BOB, {"a.com": None})])
    assert entry.id == derived_account_id("Example", 1) != taken
    assert derived_account_id("eXAMPLE ") == taken


async def _imported(http: httpx.AsyncClient, text: str | bytes, status: int = 200) -> Any:
    return json_of(await http.post("/v1/accounts/import", headers=CSV, content=text), status)


def _accounts(world: FakeWorld) -> dict[AccountId, AccountEntry]:
    found = world.directory.find(ACME)
    assert found is not None
    return {each.entry.id: each.entry for each in found.accounts}


async def test_good_lines_are_taken_and_bad_ones_reported(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    text = (
        HEADER + "Example,EXAMPLE.com,grace\nghostly,g.com,ghost\nexample,example.org,grace@example.com\n"
    )
    report = await _imported(http, text)
    assert report["imported"] == 2
    assert [each["line"] for each in report["rejected"]] == [3]
    (account,) = _accounts(world).values()
    assert (account.company, account.domains) == ("Example", ("example.com", "example.org"))
    assert json_of(await http.get(f"/v1/accounts/{account.id}", headers=KEY), 200)["owner_id"] == "grace"
    again = await _imported(http, text)
    assert again == report
    assert list(_accounts(world)) == [account.id]


async def test_a_file_is_taken_as_it_comes(http: httpx.AsyncClient, world: FakeWorld) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for byte in (HEADER + '"Exämple",example.com,grace\n').encode():
            yield bytes([byte])

    answer = await http.post("/v1/accounts/import", headers=CSV, content=pieces())
    assert json_of(answer, 200) == {"imported": 1, "rejected": []}
    assert [each.company for each in _accounts(world).values()] == ["Exämple"]


async def test_fifty_thousand_lines_are_taken_in_parts_of_a_write(
    http: httpx.AsyncClient, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    write = world.directory.write

    async def counted(workspace_id: Any, definitions: Any) -> list[int]:
        sizes.append(len(definitions))
        return await write(workspace_id, definitions)

    monkeypatch.setattr(world.directory, "write", counted)
    rows = [(f"Company {number}", f"company-{number}.com", "grace@example.com") for number in range(50_000)]
    report = await _imported(http, HEADER + csv_of(rows))
    assert report == {"imported": 50_000, "rejected": []}
    assert len(_accounts(world)) == sum(sizes) == 50_000
    assert max(sizes) <= WRITE_ENTRIES_MAX


async def test_what_is_no_csv_or_too_much_is_refused_whole(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    for content_type in ("application/json", "text/plain", ""):
        headers = {**KEY, "Content-Type": content_type}
        answer = await http.post("/v1/accounts/import", headers=headers, content=HEADER)
        assert "text/csv" in json_of(answer, 415)["detail"]
    assert "company,domain,owner" in (await _imported(http, b"", 422))["detail"]
    assert "company,domain,owner" in (await _imported(http, "a;b;c\n", 422))["detail"]
    await _imported(http, HEADER + "A,a.com,bob\n" * IMPORT_LINES_MAX, 413)
    await _imported(http, b" " * (IMPORT_BYTES_MAX + 1), 413)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield HEADER.encode() * 1000

    answer = await http.post("/v1/accounts/import", headers=CSV, content=endless())
    assert json_of(answer, 413)["type"] == "urn:rondo:error:too-large"
    assert _accounts(world) == {}


async def test_an_account_may_be_named_like_the_import(http: httpx.AsyncClient) -> None:
    body = {"company": "Import", "owner_id": "bob"}
    assert json_of(await http.put("/v1/accounts/import", headers=KEY, json=body), 201)["id"] == "import"


async def test_an_import_that_could_not_be_written_is_no_success(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    world.directory.is_unreachable = True
    await _imported(http, HEADER + "A,a.com,bob\n", 503)
    world.directory.is_unreachable = False
    assert (await _imported(http, HEADER + "A,a.com,bob\n"))["imported"] == 1
