"""Importing target accounts from a CSV file, while it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import islice

from rondo_common.directory.entries import Kind
from rondo_common.events import AccountDefined
from rondo_common.ids import WorkspaceId
from rondo_common.permissions import Permission
from rondo_gateway.domain.account_import import AccountLines, ImportedCompany, Owners, accounts_to_write
from rondo_gateway.domain.csv_records import CsvRecords
from rondo_gateway.domain.limits import IMPORT_LINES_MAX
from rondo_gateway.domain.permissions import require_staff
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.provisioned import ImportReport
from rondo_gateway.domain.refusals import TooLarge
from rondo_gateway.handlers.own_workspace import managed_workspace
from rondo_gateway.ports import WRITE_ENTRIES_MAX, Definition, DirectoryLog, DirectoryView


class AccountImport:
    """Takes the good lines of a file, and says what is wrong with the others."""

    def __init__(self, directory: DirectoryView, log: DirectoryLog) -> None:
        self._directory = directory
        self._log = log

    async def run(self, caller: Principal, pieces: AsyncIterator[bytes]) -> ImportReport:
        """Read the whole file, then write its accounts. Repeating it is harmless.

        Raises:
            Invalid: its first line is not the header; nothing was taken.
            TooLarge: it has too many lines; nothing was taken.
            Unavailable: some of it may have been taken; import all of it again.
        """
        found = await managed_workspace(self._directory, caller, Permission.ADMIN_ACCOUNTS)
        lines = AccountLines(Owners(defined.entry for defined in found.agents.values()))
        records = CsvRecords()
        async for piece in pieces:
            for record in records.feed(piece):
                lines.take(record)
            if records.lines > IMPORT_LINES_MAX:
                raise TooLarge(f"The file has more than {IMPORT_LINES_MAX} lines. Import it in parts.")
        for record in records.finish():
            lines.take(record)
        lines.require_header()
        await self._write(require_staff(caller).workspace_id, caller, lines)
        return ImportReport(imported=lines.imported, rejected=lines.rejected)

    async def _write(self, workspace_id: WorkspaceId, caller: Principal, lines: AccountLines) -> None:
        companies = iter(lines.companies.values())
        while batch := list(islice(companies, WRITE_ENTRIES_MAX)):
            # A turn each, so that other changes of the workspace come in between.
            async with self._log.changing(workspace_id):
                await self._write_batch(workspace_id, caller, batch)

    async def _write_batch(
        self, workspace_id: WorkspaceId, caller: Principal, batch: list[ImportedCompany]
    ) -> None:
        found = await managed_workspace(self._directory, caller, Permission.ADMIN_ACCOUNTS)
        entries = accounts_to_write(found.accounts, batch)
        if entries:
            await self._log.write(
                workspace_id,
                [Definition(Kind.ACCOUNT, each.id, AccountDefined(account=each)) for each in entries],
            )
