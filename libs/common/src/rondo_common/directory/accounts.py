"""A workspace's target accounts, found by the visitor's e-mail domain or company."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from rondo_common.conversation import Visitor, email_domain
from rondo_common.directory.defined import Defined
from rondo_common.directory.entries import AccountEntry
from rondo_common.ids import AccountId


def normal_company(company: str) -> str:
    """A company's name as it is compared: without case, white space folded."""
    return " ".join(company.casefold().split())


@dataclass(slots=True)
class Accounts:
    """All accounts of a workspace. Where several match a visitor, the smallest id is taken."""

    _by_id: dict[AccountId, Defined[AccountEntry]] = field(default_factory=dict)
    _by_domain: defaultdict[str, set[AccountId]] = field(default_factory=lambda: defaultdict(set))
    _by_company: defaultdict[str, set[AccountId]] = field(default_factory=lambda: defaultdict(set))

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Defined[AccountEntry]]:
        return iter(self._by_id.values())

    def get(self, account_id: AccountId) -> Defined[AccountEntry] | None:
        """One account, or None."""
        return self._by_id.get(account_id)

    def put(self, account: AccountEntry, offset: int) -> None:
        """Take in an account as the record at ``offset`` defines it."""
        self.remove(account.id)
        self._by_id[account.id] = Defined(account, offset)
        self._by_company[normal_company(account.company)].add(account.id)
        for domain in account.domains:
            self._by_domain[domain].add(account.id)

    def remove(self, account_id: AccountId) -> None:
        """Forget an account, if it is there."""
        known = self._by_id.pop(account_id, None)
        if known is None:
            return
        _discard(self._by_company, normal_company(known.entry.company), account_id)
        for domain in known.entry.domains:
            _discard(self._by_domain, domain, account_id)

    def of_visitor(self, visitor: Visitor) -> AccountEntry | None:
        """The account the visitor belongs to: by the domain of their address, else by their company."""
        found = self.of_domain(email_domain(visitor.email) or "")
        return found or self.of_company(visitor.company or "")

    def of_domain(self, domain: str) -> AccountEntry | None:
        """The account that has this domain."""
        return self._first(self._by_domain.get(domain))

    def of_company(self, company: str) -> AccountEntry | None:
        """The account of this company."""
        return self._first(self._by_company.get(normal_company(company)))

    def _first(self, account_ids: set[AccountId] | None) -> AccountEntry | None:
        return self._by_id[min(account_ids)].entry if account_ids else None


def _discard(index: defaultdict[str, set[AccountId]], name: str, account_id: AccountId) -> None:
    found = index[name]
    found.discard(account_id)
    if not found:
        del index[name]
