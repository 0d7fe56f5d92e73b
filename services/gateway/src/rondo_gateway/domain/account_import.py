"""Target accounts from a CSV file: which lines can be taken, and what accounts they make."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from rondo_common.directory.accounts import Accounts, normal_company
from rondo_common.directory.entries import AccountEntry, AgentEntry
from rondo_common.ids import AccountId, AgentId
from rondo_gateway.domain.csv_records import Record
from rondo_gateway.domain.email_domains import normal_domain
from rondo_gateway.domain.limits import ACCOUNT_DOMAINS_MAX, NAME_LENGTH_MAX
from rondo_gateway.domain.provisioned import RejectedLine
from rondo_gateway.domain.refusals import Invalid

COLUMNS = ("company", "domain", "owner")
TEXT_SHOWN_MAX = 60
"""How much of a text a reason repeats."""


@dataclass(slots=True)
class ImportedCompany:
    """What the good lines say about one company. ``name`` is as it stands in the first of them."""

    name: str
    owner_id: AgentId
    domains: dict[str, None] = field(default_factory=dict)


class Owners:
    """The workspace's agents, as a file may name them: by id, or else by e-mail address."""

    def __init__(self, agents: Iterable[AgentEntry]) -> None:
        self._ids: set[str] = set()
        self._by_email: defaultdict[str, list[AgentId]] = defaultdict(list)
        for agent in agents:
            self._ids.add(agent.id)
            self._by_email[agent.email.casefold()].append(agent.id)

    def find(self, name: str) -> AgentId:
        """The agent of that name. Raises ``ValueError``, saying why there is none."""
        if name in self._ids:
            return AgentId(name)
        found = self._by_email.get(name.casefold(), [])
        if len(found) == 1:
            return found[0]
        if found:
            raise ValueError(f"{_shown(name)} is the address of several agents; give the id of one")
        raise ValueError(f"there is no agent {_shown(name)}, neither by id nor by e-mail address")


class AccountLines:
    """Takes the records of a file one after the other; the first is the header."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners
        self._columns: Callable[[tuple[str, ...]], tuple[str, str, str]] | None = None
        self._owner_of_domain: dict[str, str] = {}
        """Which company each domain belongs to."""
        self.companies: dict[str, ImportedCompany] = {}
        """By their names as they are compared."""
        self.rejected: list[RejectedLine] = []
        self.imported = 0

    def take(self, record: Record) -> None:
        """The next record. A bad one is noted as rejected. Raises ``Invalid`` for a bad header."""
        if self._columns is None:
            self._columns = _columns(record)
            return
        try:
            self._take(record, self._columns)
        except ValueError as error:
            self.rejected.append(RejectedLine(line=record.line, reason=str(error)))
        else:
            self.imported += 1

    def require_header(self) -> None:
        """Raises ``Invalid`` if not even a header came."""
        if self._columns is None:
            raise Invalid("", f"{_EXPECTED}; the file is empty")

    def _take(self, record: Record, columns: Callable[[tuple[str, ...]], tuple[str, str, str]]) -> None:
        _check_text(record)
        if len(record.fields) != len(COLUMNS):
            raise ValueError(f"has {len(record.fields)} columns, not {len(COLUMNS)}")
        company, domain, owner = (each.strip() for each in columns(record.fields))
        for name, value in zip(COLUMNS, (company, domain, owner), strict=True):
            if not value:
                raise ValueError(f"{name} is empty")
        if len(company) > NAME_LENGTH_MAX:
            raise ValueError(f"company has more than {NAME_LENGTH_MAX} characters")
        try:
            domain = normal_domain(domain)
        except ValueError as error:
            raise ValueError(f"domain {_shown(domain)} {error}") from None
        self._add(company, domain, self._owners.find(owner))

    def _add(self, company: str, domain: str, owner_id: AgentId) -> None:
        name = normal_company(company)
        known = self.companies.get(name)
        if known is not None and known.owner_id != owner_id:
            raise ValueError(
                f"company {_shown(company)} has another owner earlier in the file: {known.owner_id}"
            )
        other = self._owner_of_domain.get(domain, name)
        if other != name:
            raise ValueError(
                f"domain {domain} belongs to another company earlier in the file: "
                f"{_shown(self.companies[other].name)}"
            )
        known = known or ImportedCompany(company, owner_id)
        if domain not in known.domains and len(known.domains) >= ACCOUNT_DOMAINS_MAX:
            raise ValueError(f"company {_shown(company)} has more than {ACCOUNT_DOMAINS_MAX} domains")
        known.domains[domain] = None
        self._owner_of_domain[domain] = name
        self.companies[name] = known


def accounts_to_write(accounts: Accounts, companies: Iterable[ImportedCompany]) -> list[AccountEntry]:
    """The accounts that are new or different once ``companies`` are added to ``accounts``.

    A company that has an account keeps its id, its domains and how it is written.
    """
    entries = [_merged(accounts, company) for company in companies]
    return [each for each in entries if not _is_there(accounts, each)]


def derived_account_id(company: str, attempt: int = 0) -> AccountId:
    """The id of a company's account that was made by an import: the same at every import."""
    name = normal_company(company) if attempt == 0 else f"{normal_company(company)}\x00{attempt}"
    return AccountId(f"acc_{hashlib.sha256(name.encode()).hexdigest()[:32]}")


def _merged(accounts: Accounts, company: ImportedCompany) -> AccountEntry:
    present = accounts.of_company(company.name)
    if present is None:
        return AccountEntry(
            id=_free_id(accounts, company.name),
            company=company.name,
            domains=tuple(company.domains),
            owner_id=company.owner_id,
        )
    domains = tuple(dict.fromkeys((*present.domains, *company.domains)))
    return present.model_copy(update={"domains": domains, "owner_id": company.owner_id})


def _free_id(accounts: Accounts, company: str) -> AccountId:
    """A derived id that no other company has. One can: who imported it may have renamed it."""
    attempt = 0
    while accounts.get(derived_account_id(company, attempt)) is not None:
        attempt += 1
    return derived_account_id(company, attempt)


def _is_there(accounts: Accounts, entry: AccountEntry) -> bool:
    present = accounts.get(entry.id)
    return present is not None and present.entry == entry


_EXPECTED = "the first line must be the header company,domain,owner, in any order"


def _columns(header: Record) -> Callable[[tuple[str, ...]], tuple[str, str, str]]:
    """What puts a line's fields into the order of ``COLUMNS``. Raises ``Invalid``."""
    places: Mapping[str, int] = {each.strip().casefold(): n for n, each in enumerate(header.fields)}
    if header.defect is not None or len(header.fields) != len(COLUMNS) or places.keys() != set(COLUMNS):
        found = ",".join(header.fields).encode(errors="replace").decode()
        raise Invalid("", f"{_EXPECTED}; it is {header.defect or _shown(found)}")
    company, domain, owner = (places[name] for name in COLUMNS)
    return lambda fields: (fields[company], fields[domain], fields[owner])


def _check_text(record: Record) -> None:
    if record.defect is not None:
        raise ValueError(record.defect)
    for text in record.fields:
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            raise ValueError("is not UTF-8")
        if "\x00" in text:
            raise ValueError("contains the NUL character")


def _shown(text: str) -> str:
    return repr(text if len(text) <= TEXT_SHOWN_MAX else text[:TEXT_SHOWN_MAX] + "…")
